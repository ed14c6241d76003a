// The portable kernels of heatmaps, complete, and the oracle of the others.
#include <cstring>

#include "blend_kernels.h"
#include "heatmap_kernels.h"

namespace runmask {
namespace {

template <class Float>
Float float_at(const uint8_t* values, size_t i) {
  Float value;
  std::memcpy(&value, values + i * sizeof value, sizeof value);
  return value;
}

template <class Float, class Found>  // as wide as each other: compilers make vectors of it
bool any_nan(const uint8_t* values, size_t count) {
  Found found = 0;
  for (size_t i = 0; i < count; ++i) {
    found |= float_at<Float>(values, i) != float_at<Float>(values, i);
  }
  return found != 0;
}

template <class Float>
void confidences(const uint8_t* values, size_t count, double low, double scale, int16_t* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = confidence_of(static_cast<double>(float_at<Float>(values, i)), low, scale);
  }
}

void mix(const int16_t* a, const int16_t* b, uint32_t weight, size_t count, int16_t* between) {
  const auto of_b = static_cast<int32_t>(weight);
  const auto of_a = static_cast<int32_t>(kWeight - weight);
  for (size_t i = 0; i < count; ++i) {
    const int32_t sum = a[i] * of_a + b[i] * of_b + static_cast<int32_t>(kWeight / 2);
    between[i] = static_cast<int16_t>(sum >> kWeightBits);
  }
}

void indices(const uint32_t* pairs, const int32_t* places, const uint32_t* weights, size_t count,
             uint8_t* out) {
  for (size_t x = 0; x < count * kWordPixels; ++x) {
    const uint32_t pair = pairs[places[x]];
    const uint32_t weight = weights[x];
    const int32_t sum =
        static_cast<int16_t>(pair & 0xFFFF) * static_cast<int16_t>(weight & 0xFFFF) +
        static_cast<int16_t>(pair >> 16) * static_cast<int16_t>(weight >> 16);
    // (sum / kWeight + kHalf) / 256, the first being 255 * 256 for 1, rounded
    out[x] = static_cast<uint8_t>((sum + (1 << 29)) >> 22);
  }
}

template <size_t Channels>
void colour_opaque(const uint8_t* from, uint8_t* to, const uint8_t* indices,
                   const HeatColours& colours) {
  constexpr size_t kColours = Channels - (Channels % 2 == 0);
  for (size_t p = 0; p < kWordPixels; ++p, from += Channels, to += Channels) {
    const uint64_t entry = colours.entry[indices[p]];
    const auto scale = static_cast<uint32_t>(entry >> 48);
    for (size_t c = 0; c < kColours; ++c) {
      const uint32_t sum = from[c] * scale + static_cast<uint32_t>(entry >> (16 * c) & 0xFFFF);
      to[c] = static_cast<uint8_t>((sum + (sum >> 8)) >> 8);
    }
    if (Channels % 2 == 0) to[Channels - 1] = 255;
  }
}

template <size_t Channels>
bool opaque(const uint8_t* pixels) {
  uint8_t all = 255;
  for (size_t p = 0; p < kWordPixels; ++p) all &= pixels[p * Channels + Channels - 1];
  return all == 255;
}

template <size_t Channels>
void colour(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
            const HeatColours& colours) {
  for (size_t w = 0; w < count; ++w) {
    if constexpr (Channels % 2 == 0) {
      if (!opaque<Channels>(from)) {
        colour_general<Channels>(from, to, indices, colours);
      } else {
        colour_opaque<Channels>(from, to, indices, colours);
      }
    } else {
      colour_opaque<Channels>(from, to, indices, colours);
    }
    from += kWordPixels * Channels;
    to += kWordPixels * Channels;
    indices += kWordPixels;
  }
}

}  // namespace

template <size_t Channels>
void colour_general(const uint8_t* from, uint8_t* to, const uint8_t* indices,
                    const HeatColours& colours) {
  for (size_t p = 0; p < kWordPixels; ++p, from += Channels, to += Channels) {
    const uint8_t index = indices[p];
    const uint32_t alpha = colours.alpha[index];
    if (alpha != 0) {
      const uint8_t colour[] = {colours.plane[0][index], colours.plane[1][index],
                                colours.plane[2][index]};
      blend_pixel<Channels>(from, to, colour, alpha, weight_over(alpha, from[Channels - 1]));
    } else if (from != to) {
      std::memcpy(to, from, Channels);
    }
  }
}

template void colour_general<2>(const uint8_t*, uint8_t*, const uint8_t*, const HeatColours&);
template void colour_general<4>(const uint8_t*, uint8_t*, const uint8_t*, const HeatColours&);

const HeatKernels scalar_heat_kernels = {{any_nan<float, int32_t>, any_nan<double, int64_t>},
                                         {confidences<float>, confidences<double>},
                                         mix,
                                         indices,
                                         {colour<1>, colour<2>, colour<3>, colour<4>}};

}  // namespace runmask
