#include "wire.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "wire_kernels.h"

namespace runmask {
namespace {

constexpr int kMaxDepth = 64;

bool is_space(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }
bool is_digit(uint8_t byte) { return static_cast<uint8_t>(byte - '0') < 10; }
bool is_hex(uint8_t byte) {
  return is_digit(byte) || static_cast<uint8_t>((byte | 0x20) - 'a') < 6;
}

// One number as it stands in the text.
struct Element {
  bool integer = false;  // of 64 bits, written as JSON writes integers
  int64_t value = 0;
  size_t digits = 0;
  size_t end = 0;
};

Element read_element(const uint8_t* text, size_t size, size_t at) {
  const bool negative = at < size && text[at] == '-';
  if (negative) ++at;
  const size_t first = at;
  uint64_t magnitude = 0;
  bool fits = true;
  for (; at < size; ++at) {
    const uint8_t byte = text[at];
    if (!is_digit(byte)) break;
    const uint64_t digit = byte - '0';
    if (at == first + 1 && magnitude == 0) return {};  // a leading zero
    fits &= at - first < 19;
    magnitude = 10 * magnitude + digit;  // 19 digits never wrap
  }
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (at == first || !fits || magnitude > kMost + negative) return {};
  const uint64_t value = negative ? ~magnitude + 1 : magnitude;
  return {true, static_cast<int64_t>(value), at - first, at};
}

// Walks the text as far as it is JSON, in one loop with a bit per open object or array.
class Reader {
 public:
  Reader(const uint8_t* text, size_t size, AnswerRuns& out)
      : text_(text), size_(size), out_(out), kernels_(wire_kernels()) {}

  Result read() {
    if (size_ >= 3 && std::memcmp(text_, "\xEF\xBB\xBF", 3) == 0) at_ = 3;
    while (next()) {
    }
    return {failed_ ? Status::no_memory : Status::ok, 0};
  }

 private:
  enum class Expects { value, value_or_end, key, key_or_end, comma_or_end };

  // What the path leads to, as far as anybody asks.
  enum class Place { elsewhere, result, starts, lengths };

  // One step through the text; false where there is nothing more to be found.
  bool next() {
    skip_space();
    if (at_ == size_) return false;
    const uint8_t byte = text_[at_];
    switch (expects_) {
      case Expects::key_or_end:
        if (byte == '}') return close(byte);
        [[fallthrough]];
      case Expects::key:
        return read_key();
      case Expects::comma_or_end:
        if (byte != ',') return close(byte);
        ++at_;
        expects_ = in_object() ? Expects::key : Expects::value;
        return true;
      case Expects::value_or_end:
        if (byte == ']') return close(byte);
        [[fallthrough]];
      case Expects::value:
        break;
    }
    expects_ = Expects::comma_or_end;
    if (byte == '{' || byte == '[') return open(byte);
    if (depth_ == 0) return false;  // the whole text is no object
    if (byte == '"') return skip_string();
    return byte == '-' || is_digit(byte) ? skip_number() : skip_word();
  }

  bool in_object() const { return objects_ & 1; }

  bool open(uint8_t byte) {
    if (depth_ == kMaxDepth || (depth_ == 0 && byte == '[')) return false;
    ++at_;
    ++depth_;
    objects_ = objects_ << 1 | (byte == '{');
    expects_ = byte == '{' ? Expects::key_or_end : Expects::value_or_end;
    if (byte == '[' && (place_ == Place::starts || place_ == Place::lengths)) {
      return read_integers(place_ == Place::starts ? out_.starts : out_.lengths);
    }
    return true;
  }

  bool close(uint8_t byte) {
    if (byte != (in_object() ? '}' : ']')) return false;
    ++at_;
    objects_ >>= 1;
    expects_ = Expects::comma_or_end;
    return --depth_ > 0;
  }

  bool read_key() {
    const size_t first = at_ + 1;
    if (text_[at_] != '"' || !skip_string()) return false;
    const auto* name = reinterpret_cast<const char*>(text_ + first);
    const size_t size = at_ - 1 - first;
    const auto is = [&](const char* word) {
      return size == std::strlen(word) && std::memcmp(name, word, size) == 0;
    };
    if (depth_ == 1) {
      in_result_ = is("result");
      place_ = in_result_ ? Place::result : Place::elsewhere;
    } else if (depth_ == 2 && in_result_) {
      place_ = is("starts") ? Place::starts : is("lengths") ? Place::lengths : Place::elsewhere;
    } else {
      place_ = Place::elsewhere;
    }
    skip_space();
    if (at_ == size_ || text_[at_] != ':') return false;
    ++at_;
    expects_ = Expects::value;
    return true;
  }

  void skip_space() {
    while (at_ < size_ && is_space(text_[at_])) ++at_;
  }

  bool skip_string() {
    for (++at_; at_ < size_; ++at_) {
      const uint8_t byte = text_[at_];
      if (byte == '"') {
        ++at_;
        return true;
      }
      if (byte < 0x20 || (byte == '\\' && !skip_escape())) return false;
    }
    return false;
  }

  // From a backslash to the last byte of what it begins.
  bool skip_escape() {
    if (++at_ == size_) return false;
    if (text_[at_] != 'u') return text_[at_] != 0 && std::strchr("\"\\/bfnrt", text_[at_]);
    for (int i = 0; i < 4; ++i) {
      if (++at_ == size_ || !is_hex(text_[at_])) return false;
    }
    return true;
  }

  bool skip_digits() {
    const size_t first = at_;
    while (at_ < size_ && is_digit(text_[at_])) ++at_;
    return at_ > first;
  }

  bool skip_number() {
    if (text_[at_] == '-') {
      if (++at_ < size_ && text_[at_] == 'I') return skip_word();
    }
    const bool zero = at_ < size_ && text_[at_] == '0';
    const size_t first = at_;
    if (!skip_digits() || (zero && at_ > first + 1)) return false;
    if (at_ < size_ && text_[at_] == '.') {
      ++at_;
      if (!skip_digits()) return false;
    }
    if (at_ < size_ && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < size_ && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      return skip_digits();
    }
    return true;
  }

  // The last two are no JSON, but common readers take them, and refuse them by name later.
  bool skip_word() {
    for (const char* word : {"true", "false", "null", "NaN", "Infinity"}) {
      const size_t size = std::strlen(word);
      if (size <= size_ - at_ && std::memcmp(text_ + at_, word, size) == 0) {
        at_ += size;
        return true;
      }
    }
    return false;
  }

  // From behind the opening bracket to the closing one, or to what is no integer of 64 bits.
  // False if that ends the search.
  bool read_integers(Integers& to) {
    if (to.first != 0) return false;  // twice, which the reader of the rest refuses
    skip_space();
    const size_t first = at_;
    if (at_ == size_ || text_[at_] == ']') return true;
    while (read_stretch(to, first)) {
      const Element element = read_element(text_, size_, at_);
      size_t end = element.end;
      while (element.integer && end < size_ && is_space(text_[end])) ++end;
      const uint8_t behind = element.integer && end < size_ ? text_[end] : 0;
      if (behind != ',' && behind != ']') {
        leave_last(to, first);
        return false;
      }
      if (!append(to, element)) return false;
      at_ = end;
      if (behind == ']') {
        to.first = first;
        to.last = at_;
        expects_ = Expects::value_or_end;
        return out_.starts.last == 0 || out_.lengths.last == 0;
      }
      ++at_;
      skip_space();
    }
    return false;
  }

  // What the kernels can read from here on; false if memory ends.
  bool read_stretch(Integers& to, size_t first) {
    return to.wide ? read_stretch(kernels_.wide, to.wide_items, first)
                   : read_stretch(kernels_.narrow, to.narrow_items, first);
  }

  template <class Kernel, class Int>
  bool read_stretch(Kernel kernel, Array<Int>& items, size_t first) {
    if (at_ < 16) return true;
    for (size_t count = 1; count != 0; items.set_size(items.size() + count)) {
      // If all the text is about like what was read so far, the array grows once.
      const auto density =
          static_cast<double>(items.size()) / static_cast<double>(std::max(at_ - first, size_t{1}));
      const auto expected =
          static_cast<size_t>(1.25 * density * static_cast<double>(size_ - first));
      if (!items.reserve_more(kStretchItems, expected)) return no_memory();
      count = kernel(text_, size_, &at_, items.end());
    }
    return true;
  }

  bool append(Integers& to, const Element& element) {
    if (!to.wide && element.digits > 8 && !widen(to)) return false;
    if (to.wide) {
      if (!to.wide_items.reserve_more(1)) return no_memory();
      to.wide_items.append(element.value);
    } else {
      if (!to.narrow_items.reserve_more(1)) return no_memory();
      to.narrow_items.append(static_cast<int32_t>(element.value));
    }
    return true;
  }

  bool widen(Integers& to) {
    const size_t count = to.narrow_items.size();
    if (!to.wide_items.reserve_more(count + 1)) return no_memory();
    std::copy(to.narrow_items.begin(), to.narrow_items.end(), to.wide_items.end());
    to.wide_items.set_size(count);
    to.wide = true;
    std::free(to.narrow_items.release());
    return true;
  }

  // At an element that is not for us. The one before it stays in the text too, so that what stands
  // around its comma is judged by the reader of the rest.
  void leave_last(Integers& to, size_t first) {
    if (to.count() == 0) return;
    size_t at = at_;
    const auto back = [&](auto passes) {
      while (at > first && passes(text_[at - 1])) --at;
    };
    back([](uint8_t byte) { return !is_digit(byte); });
    back([](uint8_t byte) { return is_digit(byte) || byte == '-'; });
    const size_t count = to.count() - 1;
    to.wide ? to.wide_items.set_size(count) : to.narrow_items.set_size(count);
    to.first = first;
    to.last = at;
  }

  bool no_memory() {
    failed_ = true;
    return false;
  }

  const uint8_t* text_;
  size_t size_;
  AnswerRuns& out_;
  const WireKernels& kernels_;
  size_t at_ = 0;
  int depth_ = 0;
  uint64_t objects_ = 0;  // the innermost in the lowest bit: 1 for an object, 0 for an array
  Expects expects_ = Expects::value;
  Place place_ = Place::elsewhere;
  bool in_result_ = false;
  bool failed_ = false;
};

}  // namespace

Result read_answer(const uint8_t* text, size_t size, AnswerRuns& out) {
  return Reader(text, size, out).read();
}

}  // namespace runmask
