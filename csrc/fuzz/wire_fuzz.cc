// Any bytes as an answer: every kernel set must find what the model finds, and never look outside.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "../tests/wire_model.h"
#include "fuzz.h"
#include "simd.h"

const char* const fuzz_words[] = {"{\"result\":{\"starts\":[",
                                  "],\"lengths\":[",
                                  "]},\"imageInfo\":{\"shape\":{}}}",
                                  "1,22,333,4444,55555,666666,7777777,88888888,999999999,",
                                  "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ",
                                  "9223372036854775807,-9223372036854775808,",
                                  "\"starts\":[",
                                  "\"lengths\":[",
                                  "\"result\":",
                                  "\\u0073",
                                  "\\\"",
                                  "NaN",
                                  "-Infinity",
                                  "true",
                                  "null",
                                  "1e9",
                                  "-0",
                                  "00",
                                  ".5",
                                  ",",
                                  ", ",
                                  "[",
                                  "]",
                                  "{",
                                  "}",
                                  ":",
                                  "\"",
                                  " ",
                                  "\n",
                                  "\xEF\xBB\xBF",
                                  "\xC3\xA9",
                                  nullptr};

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  for (size_t i = 0; runmask::available_kernels(i) != nullptr; ++i) {
    runmask::use_kernels(runmask::available_kernels(i)->name);
    const char* wrong = runmask::model::wrong_with(text);
    if (wrong != nullptr) {
      std::fprintf(stderr, "[%s] %s: %s\n", runmask::kernels().name, wrong, text.c_str());
      std::abort();
    }
  }
  return 0;
}
