// What a fuzz target gives: libFuzzer's entry point, and words for the plain driver's inputs.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern const char* const fuzz_words[];  // ends with null
