// The kernels of heatmaps; inside heatmap.cc only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd.h"

namespace runmask {

// A confidence is a number from -kHalf to kHalf for 0 to 1, so that two of them fit a multiply-add
// of 16-bit pairs; weights are parts of kWeight. The index into the colour map is 255 times the
// confidence, halves up.
inline constexpr int32_t kHalf = 255 * 128;
inline constexpr uint32_t kWeightBits = 14;
inline constexpr uint32_t kWeight = 1u << kWeightBits;

// A colour map as kernels take it, for one format of image.
struct HeatColours {
  uint8_t plane[3][256];  // in the order of the image's channels, without an alpha channel
  uint8_t alpha[256];
  uint64_t entry[256];  // four 16-bit numbers: the first three planes * alpha + 128; 255 - alpha
};

// The number that a confidence is, `scale` being 2 * kHalf over the span of the map's values.
inline int16_t confidence_of(double value, double low, double scale) {
  const double scaled = (value - low) * scale;
  const double above = scaled > 0 ? scaled : 0;  // NaN too
  const double within = above < 2 * kHalf ? above : 2 * kHalf;
  return static_cast<int16_t>(static_cast<int32_t>(within + 0.5) - kHalf);
}

struct HeatKernels {
  // Whether there is a NaN among values of float32 at [0], of float64 at [1], which need not be
  // aligned.
  bool (*any_nan[2])(const uint8_t* values, size_t count);

  // confidence_of each of them.
  void (*confidences[2])(const uint8_t* values, size_t count, double low, double scale,
                         int16_t* out);

  // between[i] = (a[i] * (kWeight - weight) + b[i] * weight) / kWeight, halves up, for `count`
  // values, a multiple of 32.
  void (*mix)(const int16_t* a, const int16_t* b, uint32_t weight, size_t count, int16_t* between);

  // The index of each of 64 * count pixels: pixel x lies between the two values of
  // pairs[places[x]], the first in the low half, which count by the two halves of weights[x].
  // Places ascend by at most one a pixel; 15 pairs past the last place can be read.
  void (*indices)(const uint32_t* pairs, const int32_t* places, const uint32_t* weights,
                  size_t count, uint8_t* indices);

  // For 1 to 4 channels at [channels - 1]: blends 64 * count pixels each with the colour of its
  // index; `to` is `from` or does not overlap it.
  void (*colour[4])(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
                    const HeatColours& colours);
};

// One for each set of simd.h.
extern const HeatKernels scalar_heat_kernels;
#if defined(__x86_64__) || defined(_M_X64)
extern const HeatKernels avx2_heat_kernels;
extern const HeatKernels avx512_heat_kernels;
#endif

// Colours one word of pixels with an alpha channel that are not all opaque; Channels is 2 or 4.
template <size_t Channels>
void colour_general(const uint8_t* from, uint8_t* to, const uint8_t* indices,
                    const HeatColours& colours);

}  // namespace runmask
