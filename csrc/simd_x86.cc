// The x86-64 kernels.
#include "simd.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <bit>
#include <cstring>

#include "x86.h"

namespace runmask {
namespace {

// ---- AVX2 ----

AVX2 inline __m256i load(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
AVX2 inline void store(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }

// Bit i of the result is the parity of bits 0 to i: a carry-less product with all ones.
AVX2 inline uint64_t prefix_parity(uint64_t x) {
  const __m128i ones = _mm_set1_epi8(-1);
  const __m128i bits = _mm_cvtsi64_si128(static_cast<int64_t>(x));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_clmulepi64_si128(bits, ones, 0)));
}

AVX2 bool words_from_toggles_avx2(uint8_t* toggles, size_t count, bool inside, uint64_t* words) {
  uint64_t state = inside ? ~uint64_t{0} : 0;
  for (size_t w = 0; w < count; ++w, toggles += kWordPixels) {
    const auto low = static_cast<uint32_t>(_mm256_movemask_epi8(load(toggles)));
    const auto high = static_cast<uint32_t>(_mm256_movemask_epi8(load(toggles + 32)));
    store(toggles, _mm256_setzero_si256());
    store(toggles + 32, _mm256_setzero_si256());
    words[w] = prefix_parity(low | uint64_t{high} << 32) ^ state;
    state = static_cast<uint64_t>(static_cast<int64_t>(words[w]) >> 63);
  }
  return state != 0;
}

// 32 bits as 32 bytes of 0 or 0xFF.
AVX2 inline __m256i bytes_of_bits(uint32_t bits) {
  const __m256i byte_of_lane = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,  //
                                                2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i bit_of_lane = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201u));
  const __m256i spread =
      _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int32_t>(bits)), byte_of_lane);
  return _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit_of_lane), bit_of_lane);
}

AVX2 void bytes_from_words_avx2(const uint64_t* words, size_t count, uint8_t off, uint8_t on,
                                uint8_t* bytes) {
  const __m256i all_off = _mm256_set1_epi8(static_cast<char>(off));
  const __m256i differ = _mm256_set1_epi8(static_cast<char>(off ^ on));
  for (size_t w = 0; w < count; ++w, bytes += kWordPixels) {
    const __m256i low = bytes_of_bits(static_cast<uint32_t>(words[w]));
    const __m256i high = bytes_of_bits(static_cast<uint32_t>(words[w] >> 32));
    store(bytes, _mm256_xor_si256(_mm256_and_si256(low, differ), all_off));
    store(bytes + 32, _mm256_xor_si256(_mm256_and_si256(high, differ), all_off));
  }
}

// The positions of the bits set in a byte, packed to the front.
constexpr auto kBitPositions = [] {
  struct {
    uint8_t of[256][8];
  } table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned n = 0;
    for (uint8_t bit = 0; bit < 8; ++bit) {
      if (byte >> bit & 1) table.of[byte][n++] = bit;
    }
  }
  return table;
}();

AVX2 inline uint64_t nonzero_bits_avx2(const uint8_t* pixels) {
  const __m256i zero = _mm256_setzero_si256();
  const auto low =
      static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(pixels), zero)));
  const auto high =
      static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(pixels + 32), zero)));
  return ~(low | uint64_t{high} << 32);
}

// Writes the positions of a word's bits, `base` added; returns how many.
AVX2 inline size_t list_bits_avx2(uint64_t bits, size_t base, uint16_t* positions) {
  const auto count = static_cast<size_t>(_mm_popcnt_u64(bits));
  if (count <= 8) {  // all eight, for a loop would end anywhere
    for (size_t i = 0; i < 8; ++i, bits = _blsr_u64(bits)) {
      positions[i] = static_cast<uint16_t>(base + _tzcnt_u64(bits));
    }
    return count;
  }
  uint16_t* next = positions;
  for (size_t byte = 0; byte < 8; ++byte, bits >>= 8) {
    const uint8_t* table = kBitPositions.of[bits & 0xFF];
    const __m128i local =
        _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(table)));
    const __m128i offset = _mm_set1_epi16(static_cast<int16_t>(base + 8 * byte));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(next), _mm_add_epi16(local, offset));
    next += _mm_popcnt_u64(bits & 0xFF);
  }
  return count;
}

// Whether `Words` words of pixels are all equal to their first pixel.
template <size_t Words>
AVX2 inline bool uniform_avx2(const uint8_t* pixels) {
  const __m256i first = _mm256_set1_epi8(static_cast<char>(pixels[0]));
  __m256i differ = _mm256_setzero_si256();
  for (size_t b = 0; b < Words * kWordPixels; b += 32) {
    differ = _mm256_or_si256(differ, _mm256_xor_si256(load(pixels + b), first));
  }
  return _mm256_testz_si256(differ, differ);
}

AVX2 size_t changes_avx2(const uint8_t* pixels, size_t count, bool* inside, uint16_t* positions) {
  uint64_t before = *inside;
  size_t found = 0;
  for (size_t w = 0; w < count;) {
    const uint8_t* at = pixels + kWordPixels * w;
    if (count - w >= 4 && (at[0] != 0) == (before != 0) && uniform_avx2<4>(at)) {
      w += 4;
      continue;
    }
    const size_t end = w + 4 < count ? w + 4 : count;
    for (; w < end; ++w, at += kWordPixels) {
      const uint64_t bits = nonzero_bits_avx2(at);
      const uint64_t turns = bits ^ (bits << 1 | before);
      before = bits >> 63;
      if (turns != 0) found += list_bits_avx2(turns, kWordPixels * w, positions + found);
    }
  }
  *inside = before != 0;
  return found;
}

AVX2 size_t turns_avx2(const uint64_t* words, size_t count, bool* inside, uint16_t* positions) {
  uint64_t before = *inside;
  size_t found = 0;
  for (size_t w = 0; w < count; ++w) {
    const uint64_t turns = words[w] ^ (words[w] << 1 | before);
    before = words[w] >> 63;
    if (turns != 0) found += list_bits_avx2(turns, kWordPixels * w, positions + found);
  }
  *inside = before != 0;
  return found;
}

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

// Blends bytes, a multiple of 192 for 3 channels and of 128 for 4, with one colour.
template <size_t Channels>
AVX2 inline void blend_uniform_avx2(const uint8_t* from, uint8_t* to, size_t bytes,
                                    const BlendSide& side) {
  constexpr size_t kPeriod = Channels == 3 ? 3 : 1;  // in vectors, after which the terms repeat
  if (!side.touched) {
    if (from != to) std::memcpy(to, from, bytes);
    return;
  }
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
        const size_t pixel = (32 * Phase + i) / 3;
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
    blend_mixed_part_avx2<Channels, 1>(from, to, pixels, pair);
    blend_mixed_part_avx2<Channels, 2>(from, to, pixels, pair);
    if constexpr (Channels == 4) blend_mixed_part_avx2<Channels, 3>(from, to, pixels, pair);
    from += 32 * Channels;
    to += 32 * Channels;
  }
}

// How many of the words from the first on are the same, all clear or all set; 0 if it is mixed.
inline size_t uniform_words(const uint64_t* words, size_t count) {
  if (words[0] != 0 && words[0] != ~uint64_t{0}) return 0;
  size_t same = 1;
  while (same < count && words[same] == words[0]) ++same;
  return same;
}

AVX2 inline bool opaque_avx2(const uint8_t* pixels) {
  __m256i all = _mm256_set1_epi8(-1);
  for (size_t b = 0; b < 4 * kWordPixels; b += 32) all = _mm256_and_si256(all, load(pixels + b));
  return _mm256_testc_si256(all, _mm256_set1_epi32(static_cast<int32_t>(0xFF000000u)));
}

template <size_t Channels>
AVX2 void blend_words_avx2(const uint8_t* from, uint8_t* to, const uint64_t* words, size_t count,
                           const BlendPair& pair) {
  for (size_t w = 0; w < count;) {
    size_t done = 1;
    if (Channels == 4 && !opaque_avx2(from)) {
      blend4_general(from, to, words[w], pair);
    } else if (const size_t same = uniform_words(words + w, Channels == 4 ? 1 : count - w)) {
      blend_uniform_avx2<Channels>(from, to, same * kWordPixels * Channels,
                                   pair.side[words[w] & 1]);
      done = same;
    } else {
      blend_mixed_avx2<Channels>(from, to, words[w], pair);
    }
    w += done;
    from += done * kWordPixels * Channels;
    to += done * kWordPixels * Channels;
  }
}

// ---- AVX-512 (with VBMI2: Ice Lake, Zen 4 and later) ----

AVX512 inline __m512i load512(const void* p) { return _mm512_loadu_si512(p); }

AVX512 void bytes_from_words_avx512(const uint64_t* words, size_t count, uint8_t off, uint8_t on,
                                    uint8_t* bytes) {
  const __m512i all_off = _mm512_set1_epi8(static_cast<char>(off));
  const __m512i all_on = _mm512_set1_epi8(static_cast<char>(on));
  for (size_t w = 0; w < count; ++w, bytes += kWordPixels) {
    _mm512_storeu_si512(bytes, _mm512_mask_blend_epi8(words[w], all_off, all_on));
  }
}

// As list_bits_avx2, with the positions packed to the front of one register.
AVX512 inline size_t list_bits_avx512(uint64_t bits, size_t base, uint16_t* positions) {
  alignas(64) static constexpr auto kIota = [] {
    struct {
      uint8_t of[64];
    } table{};
    for (uint8_t i = 0; i < 64; ++i) table.of[i] = i;
    return table;
  }();
  const auto count = static_cast<size_t>(_mm_popcnt_u64(bits));
  const __m512i packed = _mm512_maskz_compress_epi8(bits, load512(kIota.of));
  const __m512i offset = _mm512_set1_epi16(static_cast<int16_t>(base));
  const __m512i low = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(packed));
  _mm512_storeu_si512(positions, _mm512_add_epi16(low, offset));
  if (count > 16) {  // not 32: in noise, half of the words would be above and half below
    const __m512i high = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(packed, 1));
    _mm512_storeu_si512(positions + 32, _mm512_add_epi16(high, offset));
  }
  return count;
}

AVX512 size_t changes_avx512(const uint8_t* pixels, size_t count, bool* inside,
                             uint16_t* positions) {
  uint64_t before = *inside;
  size_t found = 0;
  for (size_t w = 0; w < count;) {
    const uint8_t* at = pixels + kWordPixels * w;
    if (count - w >= 4 && (at[0] != 0) == (before != 0) && uniform_avx2<4>(at)) {
      w += 4;
      continue;
    }
    const size_t end = w + 4 < count ? w + 4 : count;
    for (; w < end; ++w, at += kWordPixels) {
      const __m512i here = load512(at);
      const uint64_t bits = _mm512_test_epi8_mask(here, here);
      const uint64_t turns = bits ^ (bits << 1 | before);
      before = bits >> 63;
      if (turns != 0) found += list_bits_avx512(turns, kWordPixels * w, positions + found);
    }
  }
  *inside = before != 0;
  return found;
}

AVX512 size_t turns_avx512(const uint64_t* words, size_t count, bool* inside, uint16_t* positions) {
  uint64_t before = *inside;
  size_t found = 0;
  for (size_t w = 0; w < count; ++w) {
    const uint64_t turns = words[w] ^ (words[w] << 1 | before);
    before = words[w] >> 63;
    if (turns != 0) found += list_bits_avx512(turns, kWordPixels * w, positions + found);
  }
  *inside = before != 0;
  return found;
}

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
  if constexpr (Channels == 4) {
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

AVX512 inline bool opaque_avx512(const uint8_t* pixels) {
  __m512i all = _mm512_set1_epi8(-1);
  for (size_t b = 0; b < 4 * kWordPixels; b += 64) all = _mm512_and_si512(all, load512(pixels + b));
  constexpr uint64_t kAlphas = 0x8888888888888888u;
  return (_mm512_cmpeq_epi8_mask(all, _mm512_set1_epi8(-1)) & kAlphas) == kAlphas;
}

template <size_t Channels>
AVX512 void blend_words_avx512(const uint8_t* from, uint8_t* to, const uint64_t* words,
                               size_t count, const BlendPair& pair) {
  constexpr size_t kParts = Channels;  // of 64 bytes in a word's pixels
  for (size_t w = 0; w < count; ++w) {
    const uint64_t word = words[w];
    const bool uniform = word == 0 || word == ~uint64_t{0};
    if (Channels == 4 && !opaque_avx512(from)) {
      blend4_general(from, to, word, pair);
    } else if (uniform && !pair.side[word & 1].touched) {
      if (from != to) std::memcpy(to, from, 64 * kParts);
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

const Kernels avx2_kernels = {
    "avx2",     words_from_toggles_avx2, bytes_from_words_avx2, changes_avx2,
    turns_avx2, blend_words_avx2<3>,     blend_words_avx2<4>};
const Kernels avx512_kernels = {
    "avx512",     words_from_toggles_avx2, bytes_from_words_avx512, changes_avx512,
    turns_avx512, blend_words_avx512<3>,   blend_words_avx512<4>};  // toggles: no faster in 512

}  // namespace runmask

#endif
