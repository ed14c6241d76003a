// Reading answers against a slow and obvious model, on every kernel set this processor has.
#include "wire.h"

#include <cstdint>
#include <string>
#include <vector>

#include "harness.h"
#include "runs.h"
#include "wire_model.h"

namespace {

using namespace runmask;
using namespace runmask::testing;

std::string any_of(const std::vector<std::string>& choices) {
  return choices[below(choices.size())];
}

void check(const std::string& text) {
  const char* wrong = model::wrong_with(text);
  if (wrong != nullptr) expect(false, std::string(wrong) + " in " + text);
}

// Numbers of 1 to `digits` digits.
std::string number(size_t digits) {
  uint64_t value = 1 + below(digits < 19 ? 9 : 8);
  for (size_t i = below(digits); i > 0; --i) value = value * 10 + below(10);
  return (below(50) == 0 ? "-" : "") + std::to_string(below(9) == 0 ? 0 : value);
}

std::string integers(size_t count, size_t digits, const std::string& comma) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += (i == 0 ? "" : comma) + number(digits);
  return text;
}

std::string answer(const std::string& starts, const std::string& lengths) {
  const std::string first = "\"starts\":[" + starts + "]";
  const std::string second = "\"lengths\": [" + lengths + "]";
  const std::string result = below(2) == 0 ? first + "," + second : second + "," + first;
  return R"({"result": {)" + result + R"(,"x":"a\"]"}, "imageInfo":{"shape":{"height":3}}})";
}

const std::vector<std::string> kCommas = {",", ", ", ",\n      ", " , ", "\t,\r\n"};

// Of every length around the sizes that kernels work in, and cut off at every place.
void check_sizes() {
  for (const size_t count : {0, 1, 2, 3, 7, 8, 9, 31, 63, 64, 65, 200, 1023, 1024, 1025, 5000}) {
    for (const size_t digits : {1, 2, 8, 9, 16, 19}) {
      for (const std::string& comma : kCommas) {
        check(answer(integers(count, digits, comma), integers(below(count + 1), 1, comma)));
      }
    }
  }
  const std::string whole = answer(integers(90, 8, ","), integers(90, 2, ", "));
  for (size_t size = 0; size <= whole.size(); ++size) check(whole.substr(0, size));
}

// One thing that is not a plain number, anywhere in an array.
void check_odd_elements() {
  const std::vector<std::string> odd = {"-1",
                                        "-0",
                                        "00",
                                        "01",
                                        "1.5",
                                        "1e3",
                                        "",
                                        " ",
                                        "\"1\"",
                                        "null",
                                        "NaN",
                                        "[1]",
                                        "{}",
                                        "1 2",
                                        ",",
                                        "-",
                                        "+1",
                                        "0x1",
                                        "1.",
                                        "123456789",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "18446744073709551617",
                                        "99999999999999999999",
                                        "00000000000000000001",
                                        "1\v",
                                        "\x80",
                                        std::string("\0", 1),
                                        "]",
                                        "}",
                                        "1]",
                                        ":",
                                        "/",
                                        "\""};
  for (const std::string& element : odd) {
    for (int i = 0; i < 60; ++i) {
      const std::string comma = any_of(kCommas);
      const size_t digits = 1 + below(12);
      std::string before = integers(below(200), digits, comma);
      if (!before.empty()) before += comma;
      std::string after = integers(below(40), digits, comma);
      if (!after.empty()) after = comma + after;
      check(answer(before + element + after, integers(below(9), 2, comma)));
    }
  }
}

// Keys in other places, twice, escaped, deep; other values with brackets and quotes in them.
void check_shapes() {
  const std::vector<std::string> shapes = {
      R"({"result":{"starts":[1,2],"lengths":[3,4],"starts":[5]}})",
      R"({"result":{"starts":[1,2]},"result":{"starts":[5],"lengths":[6]}})",
      R"({"result":{"starts":[],"starts":[1,2],"lengths":[]}})",
      R"({"x":{"result":{"starts":[1,2]}},"starts":[1,2]})",
      R"([{"result":{"starts":[1,2]}}])",
      R"({"result":[{"starts":[1,2]}],"lengths":[1,2]})",
      R"({"result":{"x":{"starts":[1,2]},"lengths":[1,2]}})",
      R"({"result":{"\u0073tarts":[1,2],"lengths":[1,2]}})",
      R"({"\u0072esult":{"starts":[1,2]}})",
      R"({"result":"a","x":{"starts":[1,2]}})",
      R"({"result":{"starts":5,"x":[1,2]},"lengths":[1,2]})",
      R"({"a":"\\","b":"\"[{","result":{"starts":[1,2],"lengths":[3]}})",
      R"({"a":[[],{},[{}]],"b":-1.5e+10,"result":{"lengths":[1,2],"starts":[3]}} )",
      R"({"a":nul,"result":{"starts":[1,2]}})",
      R"({"a":"\x","result":{"starts":[1,2]}})",
      R"({"a":1,,"result":{"starts":[1,2]}})",
      R"({"a":[1}],"result":{"starts":[1,2]}})",
      R"({"a":-Infinity,"b":NaN,"result":{"starts":[1,2],"lengths":[1]}}})",
      "{\"a\":\"\n\",\"result\":{\"starts\":[1,2]}}",
      "\xEF\xBB\xBF{\"result\":{\"starts\":[1,2],\"lengths\":[3,4]}}",
      "{\"result\":{\"starts\":[1,2] [3],\"lengths\":[3,4]}}",
      "",
      " ",
      "{",
      "7",
  };
  for (const std::string& shape : shapes) {
    for (size_t size = 0; size <= shape.size(); ++size) check(shape.substr(0, size));
  }
  for (const size_t depth : {61, 62, 63, 64, 65, 200}) {
    check("{\"a\":" + std::string(depth, '[') + std::string(depth, ']') +
          ",\"result\":{\"starts\":[1,2]}}");
  }
}

void check_mutations() {
  const std::string bytes = "{}[]\",:\\ue-+.019 \n\t\x7F\x80\xEF";
  for (int i = 0; i < 6000; ++i) {
    const std::string comma = any_of(kCommas);
    const size_t digits = 1 + below(10);
    std::string text =
        answer(integers(below(90), digits, comma), integers(below(90), digits, comma));
    for (size_t changes = 1 + below(3); changes > 0; --changes) {
      const size_t at = below(text.size());
      switch (below(3)) {
        case 0:
          text[at] = bytes[below(bytes.size())];
          break;
        case 1:
          text.erase(at, 1 + below(below(2) == 0 ? 1 : text.size()));
          break;
        default:
          text.insert(at, 1, bytes[below(bytes.size())]);
      }
      if (text.empty()) break;
    }
    check(text);
  }
}

template <class Index>
void check_canonical() {
  for (int i = 0; i < 3000; ++i) {
    const size_t count = below(2) == 0 ? below(6) : 500 + below(600);
    const auto total = static_cast<Index>(1 + below(4 * count + 6));
    std::vector<Index> starts(count), lengths(count);
    Index at = static_cast<Index>(below(2));
    for (size_t k = 0; k < count; ++k) {
      starts[k] = at;
      lengths[k] = static_cast<Index>(1 + below(2));
      at = static_cast<Index>(at + lengths[k] + 1);
    }
    if (count > 0 && below(2) == 0) {
      starts[below(count)] = static_cast<Index>(below(9)) - 2;
    } else if (count > 0 && below(2) == 0) {
      lengths[below(count)] = static_cast<Index>(below(5)) - 1;
    }
    bool good = true;
    for (size_t k = 0; k < count; ++k) {
      good = good && starts[k] >= 0 && lengths[k] > 0 && starts[k] < total &&
             lengths[k] <= total - starts[k] &&
             (k == 0 || starts[k] > starts[k - 1] + lengths[k - 1]);
    }
    expect(is_canonical(Runs<Index>{starts.data(), lengths.data(), count}, total) == good,
           "is_canonical");
  }
}

}  // namespace

int main(int argc, char** argv) {
  on_each_kernel_set(argc, argv, [] {
    check_sizes();
    check_odd_elements();
    check_shapes();
    check_mutations();
    check_canonical<int32_t>();
    check_canonical<int64_t>();
  });
  return outcome();
}
