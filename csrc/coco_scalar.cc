// The portable kernels for COCO strings, which the others must equal, and the choice among them.
#include <bit>
#include <cstring>
#include <type_traits>

#include "coco_kernels.h"
#include "simd.h"

namespace runmask {
namespace {

size_t read_none(const char*, size_t, size_t*, int64_t*) { return 0; }

char* write_long_number(int64_t number, char* to) {
  for (;;) {
    const auto group = static_cast<unsigned>(number) & kCocoData;
    number >>= 5;
    const bool more = number != ((group & kCocoSign) != 0 ? -1 : 0);
    *to++ = static_cast<char>(kCocoFirst + (more ? group | kCocoMore : group));
    if (!more) return to;
  }
}

char* write_number(int64_t number, char* to) {
  constexpr int64_t kMost = int64_t{1} << 39;  // 8 groups
  if (number < -kMost || number >= kMost) return write_long_number(number, to);
  const auto bits = static_cast<uint64_t>(number);
  const auto magnitude = static_cast<uint64_t>(number ^ (number >> 63));
  const auto groups = static_cast<size_t>(65 - std::countl_zero(magnitude) + 4) / 5;
  uint64_t text = (bits & 0xFFFFF) | (bits << 12 & 0x000FFFFF00000000);
  text = (text & 0x000003FF000003FF) | (text << 6 & 0x03FF000003FF0000);
  text = (text & 0x001F001F001F001F) | (text << 3 & 0x1F001F001F001F00);
  text += kCocoFirst * 0x0101010101010101u;
  text += kCocoMore * 0x0101010101010101u & ((uint64_t{1} << (8 * (groups - 1))) - 1);
  std::memcpy(to, &text, sizeof text);
  return to + groups;
}

}  // namespace

// Neighbouring masks are alike, so most numbers are one group; eight are written without a look at
// each. The others are spread over 8 bytes at once: a loop over groups would end anywhere.
template <class Number>
char* write_coco_numbers(const Number* numbers, size_t count, char* to) {
  using Bits = std::make_unsigned_t<Number>;
  size_t i = 0;
  for (; count - i >= 8; i += 8) {
    Bits all = 0;
    for (size_t j = 0; j < 8; ++j) all |= static_cast<Bits>(numbers[i + j]) + kCocoSign;
    if (all < kCocoMore) {
      for (size_t j = 0; j < 8; ++j) {
        const auto group = static_cast<unsigned>(numbers[i + j]) & kCocoData;
        *to++ = static_cast<char>(kCocoFirst + group);
      }
    } else {
      for (size_t j = 0; j < 8; ++j) to = write_number(numbers[i + j], to);
    }
  }
  for (; i < count; ++i) to = write_number(numbers[i], to);
  return to;
}

template char* write_coco_numbers(const int32_t*, size_t, char*);
template char* write_coco_numbers(const int64_t*, size_t, char*);

const CocoKernels scalar_coco_kernels = {write_coco_numbers<int32_t>, read_none};

const CocoKernels& coco_kernels() {
#if defined(__x86_64__) || defined(_M_X64)
  if (&kernels() == &avx512_kernels) return avx512_coco_kernels;
  if (&kernels() == &avx2_kernels) return avx2_coco_kernels;
#endif
  return scalar_coco_kernels;
}

}  // namespace runmask
