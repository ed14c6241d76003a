// The portable kernels for numbers: 8 bytes in one register, as in Lemire, "Number parsing at a
// gigabyte per second" (2021).
#include <bit>
#include <cstring>

#include "simd.h"
#include "wire_kernels.h"

namespace runmask {
namespace {

constexpr uint64_t kEach = 0x0101010101010101u;

// Eight digits, the first in the lowest byte, as a number: pairs, fours, all.
uint64_t eight_digits(uint64_t digits) {
  digits = (digits * 10 + (digits >> 8)) & 0x00FF00FF00FF00FFu;
  digits = (digits * 100 + (digits >> 16)) & 0x0000FFFF0000FFFFu;
  return (digits * 10000 + (digits >> 32)) & 0xFFFFFFFFu;
}

// The digits that a text of 8 bytes begins with, as values, behind zeros; their count.
size_t leading_digits(const uint8_t* text, uint64_t* digits) {
  uint64_t values;
  std::memcpy(&values, text, sizeof values);
  values ^= '0' * kEach;
  // The highest bit of every byte above 9.
  const uint64_t others = (((values & 0x7F * kEach) + 0x76 * kEach) | values) & 0x80 * kEach;
  const auto count = static_cast<size_t>(std::countr_zero(others)) / 8;
  *digits = count == 0 ? 0 : values << (64 - 8 * count);
  return count;
}

// Numbers of one half of 8 digits at most, or of two.
template <class Int, size_t Halves>
size_t read_numbers(const uint8_t* text, size_t size, size_t* start, Int* out) {
  size_t at = *start;
  size_t items = 0;
  while (items < kStretchItems && at + 8 * Halves + 16 <= size) {
    uint64_t digits;
    size_t count = leading_digits(text + at, &digits);
    uint64_t value = eight_digits(digits);
    size_t end = at + count;
    if (Halves == 2 && count == 8) {
      const size_t more = leading_digits(text + end, &digits);
      for (size_t i = 0; i < more; ++i) value *= 10;
      value += eight_digits(digits);
      end += more;
      count += more;
    }
    if (count == 0 || (text[at] == '0' && count > 1)) break;
    if (text[end] != ',') break;
    ++end;
    if (text[end] == ' ') ++end;
    if (static_cast<uint8_t>(text[end] - '0') > 9) break;
    out[items++] = static_cast<Int>(value);
    at = end;
  }
  *start = at;
  return items;
}

}  // namespace

const WireKernels scalar_wire_kernels = {read_numbers<int32_t, 1>, read_numbers<int64_t, 2>};

const WireKernels& wire_kernels() {
#if defined(__x86_64__) || defined(_M_X64)
  if (&kernels() != &scalar_kernels) return avx2_wire_kernels;
#endif
  return scalar_wire_kernels;
}

}  // namespace runmask
