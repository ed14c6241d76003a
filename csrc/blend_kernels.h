// The kernels that blend two colours into pixels by a mask; inside blend.cc only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd.h"

namespace runmask {

// What one side of a mask does to a pixel (see blend.cc for the arithmetic). Bytes are blended as
// (byte * scale + term) / 255 rounded; terms repeat every 192 bytes, a multiple of 1 to 4 channels.
struct BlendSide {
  bool touched;       // false: pixels of this side stay as they are
  uint8_t colour[3];  // in the order of the image's channels
  uint8_t alpha;
  uint16_t scale;        // 255 - alpha
  uint16_t even[96];     // colour * alpha + 128 for bytes 0, 2, 4 ...
  uint16_t odd[96];      // and for bytes 1, 3, 5 ...
  uint16_t weight[256];  // the colour's weight over a pixel of this alpha, of 255 * 128
};

struct BlendPair {
  BlendSide side[2];  // [0] outside the mask, [1] inside
};

struct BlendKernels {
  // For 1 to 4 channels at [channels - 1]. Blends 64 * count pixels; `to` is `from` or does not
  // overlap it.
  void (*blend[4])(const uint8_t* from, uint8_t* to, const uint64_t* words, size_t count,
                   const BlendPair& pair);
};

// One for each set of simd.h.
extern const BlendKernels scalar_blend_kernels;
#if defined(__x86_64__) || defined(_M_X64)
extern const BlendKernels avx2_blend_kernels;
extern const BlendKernels avx512_blend_kernels;
#endif

// Blends one word of pixels with an alpha channel that are not all opaque; Channels is 2 or 4.
template <size_t Channels>
void blend_general(const uint8_t* from, uint8_t* to, uint64_t word, const BlendPair& pair);

// One pixel by Pillow's integer rule for any background alpha: 7 extra bits, a truncated quotient
// for the colour's weight (`over`, of 255 * 128).
template <size_t Channels>
inline void blend_pixel(const uint8_t* from, uint8_t* to, const uint8_t* colour, uint32_t alpha,
                        uint32_t over) {
  const auto scaled = [](uint32_t t) { return ((t >> 8) + t) >> 8; };
  const uint32_t under = 255 * 128 - over;
  const uint32_t result = alpha * 255 + from[Channels - 1] * (255 - alpha);
  for (size_t c = 0; c + 1 < Channels; ++c) {
    to[c] = static_cast<uint8_t>(scaled(colour[c] * over + from[c] * under + (128u << 7)) >> 7);
  }
  to[Channels - 1] = static_cast<uint8_t>(scaled(result + 128));
}

// The colour's weight over a pixel of alpha `under`; the colour's own alpha is not 0.
inline uint32_t weight_over(uint32_t alpha, uint32_t under) {
  return alpha * 255 * 255 * 128 / (alpha * 255 + under * (255 - alpha));
}

}  // namespace runmask
