// The portable blends, complete, and the oracle of the others.
#include <cstring>

#include "blend_kernels.h"

namespace runmask {
namespace {

// The blends below work on 64 bytes at a time, as 32 pairs of an even and an odd byte: plain loops
// over 16-bit numbers, which any compiler turns into whatever vectors its baseline has.
constexpr size_t kPairs = 32;

void blend_pairs(const uint16_t* from, uint16_t* to, const BlendSide& side, size_t term) {
  const uint16_t* even = side.even + term;
  const uint16_t* odd = side.odd + term;
  const unsigned scale = side.scale;
  for (size_t i = 0; i < kPairs; ++i) {
    const auto e = static_cast<uint16_t>((from[i] & 0xFFu) * scale + even[i]);
    const auto o = static_cast<uint16_t>((from[i] >> 8) * scale + odd[i]);
    const auto e_over_255 = static_cast<uint16_t>(static_cast<uint16_t>(e + (e >> 8)) >> 8);
    const auto o_over_255 = static_cast<uint16_t>(static_cast<uint16_t>(o + (o >> 8)) & 0xFF00u);
    to[i] = static_cast<uint16_t>(e_over_255 | o_over_255);
  }
}

// For each byte of mask bits, the bytes of 8 pixels: 0xFF where the pixel is set.
template <size_t Channels>
constexpr auto kChannelMasks = [] {
  struct {
    uint8_t of[256][8 * Channels];
  } table{};
  for (size_t byte = 0; byte < 256; ++byte) {
    for (size_t i = 0; i < 8 * Channels; ++i)
      table.of[byte][i] = byte >> (i / Channels) & 1 ? 0xFF : 0;
  }
  return table;
}();

template <size_t Channels>
void blend_uniform(const uint8_t* from, uint8_t* to, const BlendSide& side) {
  constexpr size_t kBytes = kWordPixels * Channels;
  for (size_t at = 0; at < kBytes; at += 2 * kPairs) {
    uint16_t here[kPairs], blended[kPairs];
    std::memcpy(here, from + at, sizeof here);
    blend_pairs(here, blended, side, Channels == 3 ? at / 2 : 0);
    std::memcpy(to + at, blended, sizeof blended);
  }
}

template <size_t Channels>
void blend_mixed(const uint8_t* from, uint8_t* to, uint64_t word, const BlendPair& pair) {
  constexpr size_t kBytes = kWordPixels * Channels;
  uint8_t masks[kBytes];
  for (size_t byte = 0; byte < 8; ++byte) {
    std::memcpy(masks + 8 * Channels * byte, kChannelMasks<Channels>.of[word >> (8 * byte) & 0xFF],
                8 * Channels);
  }
  for (size_t at = 0; at < kBytes; at += 2 * kPairs) {
    const size_t term = Channels == 3 ? at / 2 : 0;
    uint16_t here[kPairs], outside[kPairs], inside[kPairs], mask[kPairs];
    std::memcpy(here, from + at, sizeof here);
    std::memcpy(mask, masks + at, sizeof mask);
    blend_pairs(here, outside, pair.side[0], term);
    blend_pairs(here, inside, pair.side[1], term);
    for (size_t i = 0; i < kPairs; ++i) {
      outside[i] = static_cast<uint16_t>(outside[i] ^ ((outside[i] ^ inside[i]) & mask[i]));
    }
    std::memcpy(to + at, outside, sizeof outside);
  }
}

template <size_t Channels>
bool opaque(const uint8_t* pixels) {
  constexpr uint64_t kAlphas = Channels == 4 ? 0xFF000000FF000000u : 0xFF00FF00FF00FF00u;
  uint64_t all = ~uint64_t{0};
  for (size_t b = 0; b < Channels * kWordPixels; b += 8) {
    uint64_t value;
    std::memcpy(&value, pixels + b, sizeof value);
    all &= value;
  }
  return (all & kAlphas) == kAlphas;
}

template <size_t Channels>
void blend(const uint8_t* from, uint8_t* to, const uint64_t* words, size_t count,
           const BlendPair& pair) {
  for (size_t w = 0; w < count; ++w, from += kWordPixels * Channels, to += kWordPixels * Channels) {
    const uint64_t word = words[w];
    const bool uniform = word == 0 || word == ~uint64_t{0};
    if (uniform && !pair.side[word & 1].touched) {
      if (from != to) std::memcpy(to, from, kWordPixels * Channels);
      continue;
    }
    if constexpr (Channels % 2 == 0) {
      if (!opaque<Channels>(from)) {
        blend_general<Channels>(from, to, word, pair);
        continue;
      }
    }
    if (uniform) {
      blend_uniform<Channels>(from, to, pair.side[word & 1]);
    } else {
      blend_mixed<Channels>(from, to, word, pair);
    }
  }
}

}  // namespace

template <size_t Channels>
void blend_general(const uint8_t* from, uint8_t* to, uint64_t word, const BlendPair& pair) {
  for (size_t p = 0; p < kWordPixels; ++p, from += Channels, to += Channels) {
    const BlendSide& side = pair.side[word >> p & 1];
    if (side.touched) {
      blend_pixel<Channels>(from, to, side.colour, side.alpha, side.weight[from[Channels - 1]]);
    } else if (from != to) {
      std::memcpy(to, from, Channels);
    }
  }
}

template void blend_general<2>(const uint8_t*, uint8_t*, uint64_t, const BlendPair&);
template void blend_general<4>(const uint8_t*, uint8_t*, uint64_t, const BlendPair&);

const BlendKernels scalar_blend_kernels = {{blend<1>, blend<2>, blend<3>, blend<4>}};

}  // namespace runmask
