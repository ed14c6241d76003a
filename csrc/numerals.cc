#include "numerals.h"

#include <charconv>
#include <system_error>

namespace runmask {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

Result read_numerals(const char* text, size_t size, Array<int64_t>& out) {
  if (!out.reserve_more(size / 2 + 1)) return {Status::no_memory, 0};
  const size_t before = out.size();
  bool apart = true;  // a blank or a comma stands before
  bool comma = true;  // a comma may not come now
  for (size_t at = 0; at < size;) {
    if (blank(text[at]) || (text[at] == ',' && !comma)) {
      comma |= text[at++] == ',';
      apart = true;
      continue;
    }
    if (!apart) return {Status::bad_character, at};
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text + at, text + size, number);
    if (error == std::errc::invalid_argument) return {Status::bad_character, at};
    if (error == std::errc::result_out_of_range) return {Status::number_too_long, at};
    out.append(number);
    at = static_cast<size_t>(end - text);
    apart = comma = false;
  }
  return comma && out.size() != before ? Result{Status::bad_character, size} : Result{};
}

Result write_numerals(const int64_t* numbers, size_t count, Array<char>& out) {
  constexpr size_t kLongest = 20;  // -9223372036854775808
  for (size_t i = 0; i < count; ++i) {
    if (!out.reserve_more(kLongest + 1, out.size() / (i + 1) * count)) {
      return {Status::no_memory, 0};
    }
    if (i != 0) out.append(' ');
    const char* end = std::to_chars(out.end(), out.end() + kLongest, numbers[i]).ptr;
    out.set_size(static_cast<size_t>(end - out.data()));
  }
  return {};
}

}  // namespace runmask
