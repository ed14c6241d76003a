// The blends for x86-64.
#include "blend_kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <cstring>

#include "blend_x86.h"

namespace runmask {
namespace {

// ---- AVX2 ----

// (byte * scale + term) / 255, rounded, for the even and the odd bytes of 32.
AVX2 inline __m256i blend_avx2(__m256i bytes, __m256i scale_even, __m256i scale_odd, __m256i even,
                               __m256i odd) {
  const __m256i low_bytes = _mm256_set1_epi16(0x00FF);
  const __m256i by_255 = _mm256_set1_epi16(257);  // x / 255 is the high half of x * 257
  even = _mm256_add_epi16(_mm256_mullo_epi16(_mm256_and_si256(bytes, low_bytes), scale_even), even);
  odd = _mm256_add_epi16(_mm256_mullo_epi16(_mm256_srli_epi16(bytes, 8), scale_odd), odd);
  even = _mm256_mulhi_epu16(even, by_255);
  odd = _mm256_mulhi_epu16(odd, by_255);
  return _mm256_or_si256(even, _mm256_slli_epi16(odd, 8));
}

// Blends bytes, a multiple of 64 of them for each channel, with one colour.
template <size_t Channels>
AVX2 inline void blend_uniform_avx2(const uint8_t* from, uint8_t* to, size_t bytes,
                                    const BlendSide& side) {
  constexpr size_t kPeriod = Channels == 3 ? 3 : 1;  // in vectors, after which the terms repeat
  const __m256i scale = _mm256_set1_epi16(static_cast<int16_t>(side.scale));
  __m256i even[kPeriod], odd[kPeriod];
  for (size_t v = 0; v < kPeriod; ++v) {
    even[v] = load(side.even + 16 * v);
    odd[v] = load(side.odd + 16 * v);
  }
  for (size_t b = 0; b < bytes; b += 32 * kPeriod) {
    for (size_t v = 0; v < kPeriod; ++v) {
      const __m256i here = load(from + b + 32 * v);
      store(to + b + 32 * v, blend_avx2(here, scale, scale, even[v], odd[v]));
    }
  }
}

// Which bytes of 32 belong to set pixels, byte 0 being byte `phase` * 32 of 32 pixels' bytes.
template <size_t Channels, size_t Phase>
AVX2 inline __m256i channel_mask_avx2(uint32_t pixels) {
  if constexpr (Channels == 4) {
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i spread = _mm256_set1_epi32(static_cast<int32_t>(pixels >> (8 * Phase)));
    return _mm256_cmpeq_epi32(_mm256_and_si256(spread, bit), bit);
  } else {
    alignas(32) static constexpr auto kLanes = [] {
      struct {
        uint8_t byte[32], bit[32];
      } lanes{};
      for (size_t i = 0; i < 32; ++i) {
        const size_t pixel = (32 * Phase + i) / Channels;
        lanes.byte[i] = static_cast<uint8_t>(pixel / 8);
        lanes.bit[i] = static_cast<uint8_t>(1 << pixel % 8);
      }
      return lanes;
    }();
    const __m256i bit = load(kLanes.bit);
    const __m256i spread =
        _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int32_t>(pixels)), load(kLanes.byte));
    return _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
  }
}

template <size_t Channels, size_t Phase>
AVX2 inline void blend_mixed_part_avx2(const uint8_t* from, uint8_t* to, uint32_t pixels,
                                       const BlendPair& pair) {
  const BlendSide& out = pair.side[0];
  const BlendSide& in = pair.side[1];
  constexpr size_t kTerm = Channels == 3 ? 16 * Phase : 0;
  const __m256i mask = channel_mask_avx2<Channels, Phase>(pixels);
  const __m256i mask_odd = _mm256_srai_epi16(mask, 8);
  const __m256i mask_even = _mm256_srai_epi16(_mm256_slli_epi16(mask, 8), 8);
  const __m256i scale_out = _mm256_set1_epi16(static_cast<int16_t>(out.scale));
  const __m256i scale_in = _mm256_set1_epi16(static_cast<int16_t>(in.scale));
  store(to + 32 * Phase,
        blend_avx2(load(from + 32 * Phase), _mm256_blendv_epi8(scale_out, scale_in, mask_even),
                   _mm256_blendv_epi8(scale_out, scale_in, mask_odd),
                   _mm256_blendv_epi8(load(out.even + kTerm), load(in.even + kTerm), mask_even),
                   _mm256_blendv_epi8(load(out.odd + kTerm), load(in.odd + kTerm), mask_odd)));
}

template <size_t Channels>
AVX2 inline void blend_mixed_avx2(const uint8_t* from, uint8_t* to, uint64_t word,
                                  const BlendPair& pair) {
  for (size_t half = 0; half < 2; ++half) {
    const auto pixels = static_cast<uint32_t>(word >> (32 * half));
    blend_mixed_part_avx2<Channels, 0>(from, to, pixels, pair);
    if constexpr (Channels >= 2) blend_mixed_part_avx2<Channels, 1>(from, to, pixels, pair);
    if constexpr (Channels >= 3) blend_mixed_part_avx2<Channels, 2>(from, to, pixels, pair);
    if constexpr (Channels == 4) blend_mixed_part_avx2<Channels, 3>(from, to, pixels, pair);
    from += 32 * Channels;
    to += 32 * Channels;
  }
}

// A colour as it is laid over eight pixels of any alpha, a 32-bit number for each pixel.
struct ColourOfEight {
  __m256i channel[3], alpha;
  __m256i alpha_weights;  // of the colour's alpha, and from bit 16 on of the one below
  __m256i share;          // of the colour in the alpha that comes, of 255 * 255
  __m256i dividend;       // of which the weights of the colour are quotients
  bool touched;
};

AVX2 inline ColourOfEight colour_of_eight(const BlendSide& side) {
  const int32_t alpha = side.alpha;
  return {{_mm256_set1_epi32(side.colour[0]), _mm256_set1_epi32(side.colour[1]),
           _mm256_set1_epi32(side.colour[2])},
          _mm256_set1_epi32(alpha),
          _mm256_set1_epi32(255 | (255 - alpha) << 16),
          _mm256_set1_epi32(alpha * 255),
          _mm256_set1_epi32(alpha * 255 * 255 * 128),
          side.touched};
}

// dividend / divisor, below 2^15: a quotient of floats is wrong by one at most.
AVX2 inline __m256i quotient_of_eight(__m256i dividend, __m256i divisor) {
  const __m256i near =
      _mm256_cvttps_epi32(_mm256_div_ps(_mm256_cvtepi32_ps(dividend), _mm256_cvtepi32_ps(divisor)));
  const __m256i rest = _mm256_sub_epi32(dividend, _mm256_mullo_epi32(near, divisor));
  const __m256i too_much = _mm256_srai_epi32(rest, 31);
  const __m256i enough = _mm256_cmpgt_epi32(divisor, rest);  // else it is one more
  return _mm256_add_epi32(
      near, _mm256_add_epi32(too_much, _mm256_add_epi32(enough, _mm256_set1_epi32(1))));
}

// One channel over that of eight pixels, which is in bits 16 to 23 of `below`, times 256.
AVX2 inline __m256i mix_channel(__m256i colour, __m256i below, __m256i weights, int32_t half) {
  const __m256i both =
      _mm256_or_si256(_mm256_and_si256(below, _mm256_set1_epi32(0xFF0000)), colour);
  const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(both, weights), _mm256_set1_epi32(half));
  return _mm256_add_epi32(_mm256_srli_epi32(sum, 8), sum);
}

// As blend_pixel() has it.
AVX2 inline __m256i blend_eight(__m256i pixels, const ColourOfEight& colour) {
  if (!colour.touched) return pixels;
  const __m256i alpha_below = _mm256_srli_epi32(pixels, 8);
  const __m256i under_share =
      _mm256_madd_epi16(_mm256_srli_epi32(pixels, 24), _mm256_srli_epi32(colour.alpha_weights, 16));
  const __m256i over =
      quotient_of_eight(colour.dividend, _mm256_add_epi32(colour.share, under_share));
  const __m256i under = _mm256_sub_epi32(_mm256_set1_epi32(255 * 128), over);
  const __m256i weights = _mm256_or_si256(over, _mm256_slli_epi32(under, 16));
  constexpr int32_t kHalf = 128 << 7;
  const __m256i first =
      mix_channel(colour.channel[0], _mm256_slli_epi32(pixels, 16), weights, kHalf);
  const __m256i second =
      mix_channel(colour.channel[1], _mm256_slli_epi32(pixels, 8), weights, kHalf);
  const __m256i third = mix_channel(colour.channel[2], pixels, weights, kHalf);
  const __m256i alpha = mix_channel(colour.alpha, alpha_below, colour.alpha_weights, 128);
  const __m256i low = _mm256_or_si256(_mm256_srli_epi32(first, 15),
                                      _mm256_slli_epi32(_mm256_srli_epi32(second, 15), 8));
  const __m256i high = _mm256_or_si256(_mm256_slli_epi32(_mm256_srli_epi32(third, 15), 16),
                                       _mm256_slli_epi32(_mm256_srli_epi32(alpha, 8), 24));
  return _mm256_or_si256(low, high);
}

// Four channels; pixels of two are left to the portable kernel.
AVX2 inline void blend_general_avx2(const uint8_t* from, uint8_t* to, uint64_t word,
                                    const BlendPair& pair) {
  const ColourOfEight first = colour_of_eight(pair.side[word & 1]);
  const ColourOfEight second = colour_of_eight(pair.side[~word & 1]);
  const uint64_t seconds = word & 1 ? ~word : word;
  for (size_t i = 0; i < 8; ++i) {
    const auto bits = static_cast<uint32_t>(seconds >> (8 * i) & 0xFF);
    const __m256i here = load(from + 32 * i);
    __m256i blended = bits == 0xFF ? here : blend_eight(here, first);
    if (bits != 0) {
      blended =
          _mm256_blendv_epi8(blended, blend_eight(here, second), channel_mask_avx2<4, 0>(bits));
    }
    store(to + 32 * i, blended);
  }
}

template <size_t Channels>
AVX2 inline void blend_any_alpha(const uint8_t* from, uint8_t* to, uint64_t word,
                                 const BlendPair& pair) {
  if constexpr (Channels == 4) blend_general_avx2(from, to, word, pair);
  if constexpr (Channels == 2) blend_general<2>(from, to, word, pair);
}

// How many of the words from the first on are the same, all clear or all set; 0 if it is mixed.
inline size_t uniform_words(const uint64_t* words, size_t count) {
  if (words[0] != 0 && words[0] != ~uint64_t{0}) return 0;
  size_t same = 1;
  while (same < count && words[same] == words[0]) ++same;
  return same;
}

template <size_t Channels>
AVX2 void blend_words_avx2(const uint8_t* from, uint8_t* to, const uint64_t* words, size_t count,
                           const BlendPair& pair) {
  constexpr bool kHasAlpha = Channels % 2 == 0;
  for (size_t w = 0; w < count;) {
    const size_t same = uniform_words(words + w, count - w);
    const BlendSide& side = pair.side[words[w] & 1];
    size_t done = same != 0 && (!kHasAlpha || !side.touched) ? same : 1;
    if (same != 0 && !side.touched) {
      if (from != to) std::memcpy(to, from, done * kWordPixels * Channels);
    } else if (kHasAlpha && !opaque_avx2<Channels>(from)) {
      blend_any_alpha<Channels>(from, to, words[w], pair);
    } else if (same != 0) {
      blend_uniform_avx2<Channels>(from, to, done * kWordPixels * Channels, side);
    } else {
      blend_mixed_avx2<Channels>(from, to, words[w], pair);
    }
    w += done;
    from += done * kWordPixels * Channels;
    to += done * kWordPixels * Channels;
  }
}

// ---- AVX-512 ----

AVX512 inline __m512i blend_avx512(__m512i bytes, __m512i scale, __m512i even, __m512i odd) {
  const __m512i low_bytes = _mm512_set1_epi16(0x00FF);
  const __m512i by_255 = _mm512_set1_epi16(257);
  even = _mm512_add_epi16(_mm512_mullo_epi16(_mm512_and_si512(bytes, low_bytes), scale), even);
  odd = _mm512_add_epi16(_mm512_mullo_epi16(_mm512_srli_epi16(bytes, 8), scale), odd);
  even = _mm512_mulhi_epu16(even, by_255);
  odd = _mm512_mulhi_epu16(odd, by_255);
  return _mm512_or_si512(even, _mm512_slli_epi16(odd, 8));
}

AVX512 inline __m512i blend_side_avx512(__m512i bytes, const BlendSide& side, size_t term) {
  return blend_avx512(bytes, _mm512_set1_epi16(static_cast<int16_t>(side.scale)),
                      load512(side.even + term), load512(side.odd + term));
}

// Which bytes of the 64 from byte 64 * part on belong to set pixels.
template <size_t Channels>
AVX512 inline uint64_t channel_mask_avx512(uint64_t word, size_t part) {
  if constexpr (Channels == 1) {
    return word;
  } else if constexpr (Channels == 2) {
    return _pdep_u64(word >> (32 * part), 0x5555555555555555u) * 3;
  } else if constexpr (Channels == 4) {
    return _pdep_u64(word >> (16 * part), 0x1111111111111111u) * 15;
  } else {
    switch (part) {
      case 0:  // pixels 0 to 20 and the first byte of 21
        return _pdep_u64(word, 0x9249249249249249u) * 7;
      case 1:  // two bytes of pixel 21, pixels 22 to 41, two bytes of 42
        return (word >> 21 & 1) * 3 | _pdep_u64(word >> 22, 0x4924924924924924u) * 7;
      default:  // the last byte of pixel 42, pixels 43 to 63
        return (word >> 42 & 1) | _pdep_u64(word >> 43, 0x2492492492492492u) * 7;
    }
  }
}

template <size_t Channels>
AVX512 void blend_words_avx512(const uint8_t* from, uint8_t* to, const uint64_t* words,
                               size_t count, const BlendPair& pair) {
  constexpr bool kHasAlpha = Channels % 2 == 0;
  constexpr size_t kParts = Channels;  // of 64 bytes in a word's pixels
  for (size_t w = 0; w < count; ++w) {
    const uint64_t word = words[w];
    const bool uniform = word == 0 || word == ~uint64_t{0};
    if (uniform && !pair.side[word & 1].touched) {
      if (from != to) std::memcpy(to, from, 64 * kParts);
    } else if (kHasAlpha && !opaque_avx512<Channels>(from)) {
      blend_any_alpha<Channels>(from, to, word, pair);
    } else {
      for (size_t part = 0; part < kParts; ++part) {
        const size_t term = Channels == 3 ? 32 * part : 0;
        const __m512i bytes = load512(from + 64 * part);
        __m512i blended = blend_side_avx512(bytes, pair.side[word & 1], term);
        if (!uniform) {
          const uint64_t mask = channel_mask_avx512<Channels>(word & 1 ? ~word : word, part);
          const __m512i other = blend_side_avx512(bytes, pair.side[~word & 1], term);
          blended = _mm512_mask_blend_epi8(mask, blended, other);
        }
        _mm512_storeu_si512(to + 64 * part, blended);
      }
    }
    from += 64 * kParts;
    to += 64 * kParts;
  }
}

}  // namespace

const BlendKernels avx2_blend_kernels = {
    {blend_words_avx2<1>, blend_words_avx2<2>, blend_words_avx2<3>, blend_words_avx2<4>}};
const BlendKernels avx512_blend_kernels = {
    {blend_words_avx512<1>, blend_words_avx512<2>, blend_words_avx512<3>, blend_words_avx512<4>}};

}  // namespace runmask

#endif
