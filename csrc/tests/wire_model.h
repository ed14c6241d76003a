// A slow and obvious reader of answers, and the check of read_answer() against it that both the
// tests and the fuzz target make.
#pragma once

#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "simd.h"
#include "wire.h"

namespace runmask::model {

// What is found in one array: the leading 64-bit integers, and whether there is nothing else.
struct Array {
  std::string name;
  std::vector<int64_t> items;
  bool whole = false;
};

// A strict JSON parser by recursive descent, which knows the two arrays when it sees them.
// It takes NaN and Infinity for values, as Python's does.
class Parser {
 public:
  explicit Parser(std::string text) : text_(std::move(text)) {}

  std::vector<Array> arrays;

  // Whether all the text is one JSON value.
  bool parse() {
    if (text_.rfind("\xEF\xBB\xBF", 0) == 0) at_ = 3;
    if (!value("", 0)) return false;
    space();
    return at_ == text_.size();
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool is_digit() const { return peek() >= '0' && peek() <= '9'; }
  void space() {
    while (at_ < text_.size() && std::strchr(" \n\r\t", peek()) && peek() != '\0') ++at_;
  }
  bool take(char byte) {
    if (at_ == text_.size() || text_[at_] != byte) return false;
    ++at_;
    return true;
  }

  bool value(const std::string& path, int depth) {
    space();
    if (take('{')) return depth < 64 && members(path, depth + 1);
    if (take('[')) return depth < 64 && items(path, depth + 1);
    if (peek() == '"') return string();
    for (const std::string word : {"true", "false", "null", "NaN", "Infinity", "-Infinity"}) {
      if (text_.compare(at_, word.size(), word) == 0) {
        at_ += word.size();
        return true;
      }
    }
    return number();
  }

  bool members(const std::string& path, int depth) {
    space();
    if (take('}')) return true;
    do {
      space();
      const size_t first = at_;
      if (!string()) return false;
      const std::string key = text_.substr(first, at_ - first);
      space();
      if (!take(':') || !value(path + key, depth)) return false;
      space();
    } while (take(','));
    return take('}');
  }

  bool items(const std::string& path, int depth) {
    const bool wanted =
        depth == 3 && (path == "\"result\"\"starts\"" || path == "\"result\"\"lengths\"");
    if (wanted) arrays.push_back({path.substr(8), {}, false});
    bool clean = wanted;
    space();
    if (!take(']')) {
      do {
        space();
        const size_t first = at_;
        if (!value(path + "[]", depth)) return false;
        const std::string token = text_.substr(first, at_ - first);
        clean = clean && token.find_first_not_of("-0123456789") == std::string::npos;
        errno = 0;
        const int64_t item = clean ? std::strtoll(token.c_str(), nullptr, 10) : 0;
        clean = clean && errno == 0;
        space();
        // An element counts once what follows it is right.
        clean = clean && (peek() == ',' || peek() == ']');
        if (clean) arrays.back().items.push_back(item);
      } while (take(','));
      if (!take(']')) return false;
    }
    if (clean) arrays.back().whole = true;
    return true;
  }

  bool string() {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const auto byte = static_cast<unsigned char>(text_[at_++]);
      if (byte == '"') return true;
      if (byte < 0x20) return false;
      if (byte != '\\') continue;
      if (take('u')) {
        for (int i = 0; i < 4; ++i, ++at_) {
          if (!std::isxdigit(static_cast<unsigned char>(peek()))) return false;
        }
      } else if (peek() == '\0' || !std::strchr("\"\\/bfnrt", text_[at_++])) {
        return false;
      }
    }
    return false;
  }

  bool digits() {
    const size_t first = at_;
    while (is_digit()) ++at_;
    return at_ > first;
  }

  bool number() {
    take('-');
    if (take('0')) {
      if (is_digit()) return false;
    } else if (!digits()) {
      return false;
    }
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  std::string text_;
  size_t at_ = 0;
};

inline std::vector<int64_t> items_of(const Integers& found) {
  if (found.wide) {
    return {found.wide_items.data(), found.wide_items.data() + found.wide_items.size()};
  }
  return {found.narrow_items.data(), found.narrow_items.data() + found.narrow_items.size()};
}

// The place of the first array of that name that is not empty.
inline size_t first_of(const std::vector<Array>& arrays, const std::string& name) {
  size_t i = 0;
  while (i < arrays.size() && (arrays[i].name != name || arrays[i].items.empty())) ++i;
  return i;
}

// What is wrong with read_answer() of a text, on the set of kernels in use; null if nothing is.
inline const char* wrong_with(const std::string& text) {
  Parser model(text);
  const bool valid = model.parse();

  // A copy of the exact size, so that the address sanitizer sees every step outside.
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  AnswerRuns found;
  if (read_answer(bytes.data(), bytes.size(), found).status != Status::ok) return "status";

  std::vector<int64_t> starts, lengths;
  for (const Array& array : model.arrays) {
    std::vector<int64_t>& to = array.name == "\"starts\"" ? starts : lengths;
    if (!to.empty()) break;  // the same array twice
    to = array.items;
    if (!array.whole && !to.empty()) to.pop_back();
    if (!array.whole || (!starts.empty() && !lengths.empty())) break;
  }
  if (items_of(found.starts) != starts) return "starts";
  if (items_of(found.lengths) != lengths) return "lengths";

  const auto read = [&](const std::string& name) {
    return (name == "\"starts\"" ? found.starts : found.lengths).count();
  };
  std::string rest = text;
  const Integers* late = &found.starts;
  const Integers* early = &found.lengths;
  if (late->first < early->first) std::swap(late, early);
  for (const Integers* each : {late, early}) {
    if (each->first > each->last || each->last > text.size()) return "bounds";
    if (each->count() == 0 && each->first != each->last) return "an empty cut";
    rest.erase(each->first, each->last - each->first);
  }
  if (late->count() != 0 && early->count() != 0 && early->last > late->first) return "overlap";
  Parser left(rest);
  if (left.parse() != valid) return "the rest is not judged as the whole";
  if (left.arrays.size() != model.arrays.size()) return "arrays in the rest";
  for (size_t i = 0; i < left.arrays.size(); ++i) {
    const Array& array = model.arrays[i];
    const size_t cut = i == first_of(model.arrays, array.name) ? read(array.name) : 0;
    const std::vector<int64_t> behind(array.items.begin() + static_cast<ptrdiff_t>(cut),
                                      array.items.end());
    if (left.arrays[i].items != behind) return "items in the rest";
  }
  return nullptr;
}

}  // namespace runmask::model
