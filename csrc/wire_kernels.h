// Kernels that turn the text of an array of JSON integers into integers; inside wire.cc only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runmask {

// Most bytes that a kernel reads and most integers that it writes in one call, some of them past
// those that it counts.
inline constexpr size_t kStretch = 2048;
inline constexpr size_t kStretchItems = kStretch / 2 + 8;

// text[*at] begins an element. Reads elements of 1 to 8 digits (narrow) or 1 to 16 (wide), with no
// sign and no leading zero, as long as white space, one comma, white space and a further digit
// follow each. Returns how many were read, and moves *at to the element behind them. Leaves what it
// does not like, and the last bytes of the text, to its caller: 0 is always a right answer.
//
// `*at` is at least 16: up to so many bytes before a number are looked at, and thrown away.
// Each set of kernels reads the same numbers, but may stop at different elements.
struct WireKernels {
  size_t (*narrow)(const uint8_t* text, size_t size, size_t* at, int32_t* out);
  size_t (*wide)(const uint8_t* text, size_t size, size_t* at, int64_t* out);
};

extern const WireKernels scalar_wire_kernels;
#if defined(__x86_64__) || defined(_M_X64)
extern const WireKernels avx2_wire_kernels;  // no wider registers are needed: see wire_x86.cc
#endif

// Those of the set in use (simd.h).
const WireKernels& wire_kernels();

}  // namespace runmask
