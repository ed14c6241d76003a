#include "blend_wide.h"

#include <cstring>
#include <type_traits>

#include "blend.h"
#include "simd.h"

namespace runmask {
namespace {

constexpr uint32_t kOpaque = 65535;

// x / 255, rounded, for x up to 255 * 65535. 255 is odd: there are no halves.
inline uint32_t by_255(uint32_t x) {
  x += 128;
  return (x + ((x + (x >> 8)) >> 8)) >> 8;
}

template <size_t Channels>
void blend_opaque(const uint16_t* from, uint16_t* to, const WideSide& side) {
  for (size_t c = 0; c < Channels; ++c) {
    const uint32_t sum = from[c] * (255 - side.alpha) + side.colour[c] * side.alpha;
    to[c] = static_cast<uint16_t>(by_255(sum));
  }
}

template <size_t Channels>
void blend_over(const uint16_t* from, uint16_t* to, const WideSide& side) {
  const uint64_t over = uint64_t{side.alpha} * kOpaque;
  const uint64_t under = uint64_t{from[Channels - 1]} * (255 - side.alpha);
  const uint64_t result = over + under;
  for (size_t c = 0; c + 1 < Channels; ++c) {
    const uint64_t sum = side.colour[c] * over + from[c] * under;
    to[c] = static_cast<uint16_t>((2 * sum + result) / (2 * result));
  }
  to[Channels - 1] = static_cast<uint16_t>(by_255(static_cast<uint32_t>(result)));
}

template <size_t Channels>
bool opaque(const uint16_t* pixels) {
  uint16_t all = kOpaque;
  for (size_t p = 0; p < kWordPixels; ++p) all &= pixels[p * Channels + Channels - 1];
  return all == kOpaque;
}

// A word of pixels, each by side_of(pixel). A side that is not touched has alpha 0, which leaves
// opaque pixels as they are.
template <size_t Channels, class SideOf>
void blend_word(const uint16_t* from, uint16_t* to, const SideOf& side_of) {
  if (Channels % 2 != 0 || opaque<Channels>(from)) {
    for (size_t p = 0; p < kWordPixels; ++p, from += Channels, to += Channels) {
      blend_opaque<Channels>(from, to, side_of(p));
    }
    return;
  }
  for (size_t p = 0; p < kWordPixels; ++p, from += Channels, to += Channels) {
    const WideSide& side = side_of(p);
    if (side.touched) {
      blend_over<Channels>(from, to, side);
    } else if (from != to) {
      std::memcpy(to, from, Channels * sizeof *to);
    }
  }
}

// The same of one side: its terms repeat, and compilers make vectors of it.
template <size_t Channels>
void blend_uniform(const uint16_t* from, uint16_t* to, const WideSide& side) {
  constexpr size_t kPeriod = 8 * Channels;
  if (!side.touched) {
    if (from != to) std::memcpy(to, from, kWordPixels * Channels * sizeof *to);
  } else if (Channels % 2 == 0 && !opaque<Channels>(from)) {
    blend_word<Channels>(from, to, [&](size_t) -> const WideSide& { return side; });
  } else {
    uint32_t terms[kPeriod];
    for (size_t i = 0; i < kPeriod; ++i) terms[i] = side.colour[i % Channels] * side.alpha;
    const uint32_t scale = 255 - side.alpha;
    for (size_t p = 0; p < kWordPixels; p += 8, from += kPeriod, to += kPeriod) {
      uint16_t blended[kPeriod];
      for (size_t i = 0; i < kPeriod; ++i) {
        blended[i] = static_cast<uint16_t>(by_255(from[i] * scale + terms[i]));
      }
      std::memcpy(to, blended, sizeof blended);
    }
  }
}

// Calls with the number of channels as a constant.
template <class Call>
void with_channels(size_t channels, const Call& call) {
  switch (channels) {
    case 1:
      return call(std::integral_constant<size_t, 1>());
    case 2:
      return call(std::integral_constant<size_t, 2>());
    case 3:
      return call(std::integral_constant<size_t, 3>());
    default:
      return call(std::integral_constant<size_t, 4>());
  }
}

}  // namespace

WideSide wide_side_of(Colour colour, Format format) {
  WideSide side = {colour.alpha != 0, colour.alpha, {}};
  for (size_t c = 0; c < 3; ++c) side.colour[c] = colour.channel[c] * 257u;
  if (format.has_alpha()) side.colour[format.channels - 1] = kOpaque;
  return side;
}

void blend_wide(const uint8_t* from, uint8_t* to, const uint64_t* words, size_t count,
                Format format, const WidePair& pair) {
  const auto* source = reinterpret_cast<const uint16_t*>(from);
  auto* target = reinterpret_cast<uint16_t*>(to);
  with_channels(format.channels, [&](auto channels) {
    constexpr size_t kSamples = kWordPixels * channels();
    for (size_t w = 0; w < count; ++w, source += kSamples, target += kSamples) {
      const uint64_t word = words[w];
      if (word == 0 || word == ~uint64_t{0}) {
        blend_uniform<channels()>(source, target, pair.side[word & 1]);
      } else {
        blend_word<channels()>(
            source, target, [&](size_t p) -> const WideSide& { return pair.side[word >> p & 1]; });
      }
    }
  });
}

void blend_wide_each(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
                     Format format, const WideSide* sides) {
  const auto* source = reinterpret_cast<const uint16_t*>(from);
  auto* target = reinterpret_cast<uint16_t*>(to);
  with_channels(format.channels, [&](auto channels) {
    constexpr size_t kSamples = kWordPixels * channels();
    for (size_t w = 0; w < count; ++w, source += kSamples, target += kSamples) {
      const uint8_t* places = indices + w * kWordPixels;
      blend_word<channels()>(source, target,
                             [&](size_t p) -> const WideSide& { return sides[places[p]]; });
    }
  });
}

}  // namespace runmask
