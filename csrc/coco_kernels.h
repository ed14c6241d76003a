// Kernels that turn numbers into the characters of a COCO string and back; inside coco.cc only.
//
// A number is 1 to 13 characters of 5 bits each, the lowest first; the sixth bit says that another
// follows, and the highest bit of the last is the sign.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runmask {

inline constexpr unsigned char kCocoFirst = '0';
inline constexpr unsigned kCocoData = 31;
inline constexpr unsigned kCocoSign = 16;
inline constexpr unsigned kCocoMore = 32;
inline constexpr size_t kCocoMostGroups = 13;  // of 64-bit numbers

// Most numbers that one call of `read` gives, and the bytes that `write` may write behind its last.
inline constexpr size_t kCocoNumbers = 512;
inline constexpr size_t kCocoSpare = 64;

struct CocoKernels {
  // Writes numbers; returns where the text ends.
  char* (*write)(const int32_t* numbers, size_t count, char* to);

  // Reads numbers from text[*at] on, which begins one, and moves *at behind the last it gives.
  // Leaves what it does not like, and the last bytes, to its caller: 0 is always a right answer.
  size_t (*read)(const char* text, size_t size, size_t* at, int64_t* numbers);
};

// As CocoKernels::write, of int32_t and int64_t.
template <class Number>
char* write_coco_numbers(const Number* numbers, size_t count, char* to);

extern const CocoKernels scalar_coco_kernels;
#if defined(__x86_64__) || defined(_M_X64)
extern const CocoKernels avx2_coco_kernels;
extern const CocoKernels avx512_coco_kernels;
#endif

// Those of the set in use (simd.h).
const CocoKernels& coco_kernels();

}  // namespace runmask
