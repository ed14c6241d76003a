#include "blend_wide.h"

#include <algorithm>
#include <bit>
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
void blend_opaque(const uint16_t* from, uint16_t* to, size_t pixels, const WideSide& side) {
  constexpr size_t kPeriod = 8 * Channels;
  uint32_t terms[kPeriod];
  for (size_t i = 0; i < kPeriod; ++i) terms[i] = side.colour[i % Channels] * side.alpha;
  const uint32_t scale = 255 - side.alpha;
  size_t p = 0;
  for (; p + 8 <= pixels; p += 8, from += kPeriod, to += kPeriod) {
    for (size_t i = 0; i < kPeriod; ++i) {
      to[i] = static_cast<uint16_t>(by_255(from[i] * scale + terms[i]));
    }
  }
  for (size_t i = 0; i < (pixels - p) * Channels; ++i) {
    to[i] = static_cast<uint16_t>(by_255(from[i] * scale + terms[i]));
  }
}

void blend_over(const uint16_t* from, uint16_t* to, size_t channels, const WideSide& side) {
  const uint64_t over = uint64_t{side.alpha} * kOpaque;
  const uint64_t under = uint64_t{from[channels - 1]} * (255 - side.alpha);
  const uint64_t result = over + under;
  for (size_t c = 0; c + 1 < channels; ++c) {
    const uint64_t sum = side.colour[c] * over + from[c] * under;
    to[c] = static_cast<uint16_t>((2 * sum + result) / (2 * result));
  }
  to[channels - 1] = static_cast<uint16_t>(by_255(static_cast<uint32_t>(result)));
}

template <size_t Channels>
bool opaque(const uint16_t* pixels, size_t count) {
  uint16_t all = kOpaque;
  for (size_t p = 0; p < count; ++p) all &= pixels[p * Channels + Channels - 1];
  return all == kOpaque;
}

template <size_t Channels>
void blend_pixels(const uint16_t* from, uint16_t* to, size_t pixels, const WideSide& side) {
  if (!side.touched) {
    if (from != to) std::memcpy(to, from, pixels * Channels * sizeof *to);
  } else if (Channels % 2 != 0 || opaque<Channels>(from, pixels)) {
    blend_opaque<Channels>(from, to, pixels, side);
  } else {
    for (size_t p = 0; p < pixels; ++p) {
      blend_over(from + p * Channels, to + p * Channels, Channels, side);
    }
  }
}

template <size_t Channels>
void blend_words(const uint16_t* from, uint16_t* to, const uint64_t* words, size_t count,
                 const WidePair& pair) {
  for (size_t w = 0; w < count; ++w) {
    for (size_t at = 0; at < kWordPixels;) {
      const uint64_t rest = words[w] >> at;
      const bool set = rest & 1;
      const auto same = static_cast<size_t>(set ? std::countr_one(rest) : std::countr_zero(rest));
      const size_t pixels = std::min(same, kWordPixels - at);
      blend_pixels<Channels>(from, to, pixels, pair.side[set]);
      at += pixels;
      from += pixels * Channels;
      to += pixels * Channels;
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
    blend_words<channels()>(source, target, words, count, pair);
  });
}

void blend_wide_each(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
                     Format format, const WideSide* sides) {
  const auto* source = reinterpret_cast<const uint16_t*>(from);
  auto* target = reinterpret_cast<uint16_t*>(to);
  with_channels(format.channels, [&](auto channels) {
    for (size_t p = 0; p < count * kWordPixels; ++p) {
      blend_pixels<channels()>(source + p * channels(), target + p * channels(), 1,
                               sides[indices[p]]);
    }
  });
}

}  // namespace runmask
