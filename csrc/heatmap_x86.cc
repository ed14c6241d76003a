// The kernels of heatmaps for x86-64.
#include "heatmap_kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <cstring>

#include "blend_x86.h"

namespace runmask {
namespace {

// ---- AVX2 ----

AVX2 bool any_nan_avx2(const uint8_t* values, size_t count) {
  __m256 found = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 here = _mm256_castsi256_ps(load(values + 4 * i));
    found = _mm256_or_ps(found, _mm256_cmp_ps(here, here, _CMP_UNORD_Q));
  }
  return _mm256_movemask_ps(found) != 0 ||
         scalar_heat_kernels.any_nan[0](values + 4 * i, count - i);
}

AVX2 bool any_nan_64_avx2(const uint8_t* values, size_t count) {
  __m256d found = _mm256_setzero_pd();
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m256d here = _mm256_castsi256_pd(load(values + 8 * i));
    found = _mm256_or_pd(found, _mm256_cmp_pd(here, here, _CMP_UNORD_Q));
  }
  return _mm256_movemask_pd(found) != 0 ||
         scalar_heat_kernels.any_nan[1](values + 8 * i, count - i);
}

template <class Float>
AVX2 inline __m256d load_4(const uint8_t* values) {
  if constexpr (sizeof(Float) == 8) return _mm256_castsi256_pd(load(values));
  return _mm256_cvtps_pd(
      _mm_castsi128_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values))));
}

AVX2 inline __m128i confidences_of_4(__m256d values, __m256d low, __m256d scale) {
  const __m256d scaled = _mm256_mul_pd(_mm256_sub_pd(values, low), scale);
  const __m256d above = _mm256_max_pd(scaled, _mm256_setzero_pd());  // NaN gives the second
  const __m256d within = _mm256_min_pd(above, _mm256_set1_pd(2 * kHalf));
  const __m128i number = _mm256_cvttpd_epi32(_mm256_add_pd(within, _mm256_set1_pd(0.5)));
  return _mm_sub_epi32(number, _mm_set1_epi32(kHalf));
}

template <class Float>
AVX2 void confidences_avx2(const uint8_t* values, size_t count, double low, double scale,
                           int16_t* out) {
  constexpr size_t kSize = sizeof(Float);
  const __m256d lows = _mm256_set1_pd(low), scales = _mm256_set1_pd(scale);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const uint8_t* at = values + kSize * i;
    const __m128i first = confidences_of_4(load_4<Float>(at), lows, scales);
    const __m128i second = confidences_of_4(load_4<Float>(at + 4 * kSize), lows, scales);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm_packs_epi32(first, second));
  }
  scalar_heat_kernels.confidences[kSize == 8](values + kSize * i, count - i, low, scale, out + i);
}

AVX2 inline __m256i mixed(__m256i pairs, __m256i weights) {
  const __m256i half = _mm256_set1_epi32(kWeight / 2);
  const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(pairs, weights), half);
  return _mm256_srai_epi32(sum, kWeightBits);
}

AVX2 void mix_avx2(const int16_t* a, const int16_t* b, uint32_t weight, size_t count,
                   int16_t* between) {
  const __m256i weights =
      _mm256_set1_epi32(static_cast<int32_t>((kWeight - weight) | weight << 16));
  for (size_t i = 0; i < count; i += 16) {
    const __m256i first = load(a + i), second = load(b + i);
    store(between + i, _mm256_packs_epi32(mixed(_mm256_unpacklo_epi16(first, second), weights),
                                          mixed(_mm256_unpackhi_epi16(first, second), weights)));
  }
}

// The places of 8 pixels lie within 8 pairs from the first one's on.
AVX2 inline __m256i indices_of_8(const uint32_t* pairs, const int32_t* places,
                                 const uint32_t* weights) {
  const __m256i lanes = _mm256_sub_epi32(load(places), _mm256_set1_epi32(places[0]));
  const __m256i here = _mm256_permutevar8x32_epi32(load(pairs + places[0]), lanes);
  const __m256i sum = _mm256_madd_epi16(here, load(weights));
  return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << 29)), 22);
}

AVX2 void indices_avx2(const uint32_t* pairs, const int32_t* places, const uint32_t* weights,
                       size_t count, uint8_t* out) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (size_t x = 0; x < count * kWordPixels; x += 32) {
    __m256i part[4];
    for (size_t i = 0; i < 4; ++i) {
      part[i] = indices_of_8(pairs, places + x + 8 * i, weights + x + 8 * i);
    }
    const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(part[0], part[1]),
                                              _mm256_packs_epi32(part[2], part[3]));
    store(out + x, _mm256_permutevar8x32_epi32(bytes, order));
  }
}

AVX2 inline int64_t entry_of(const uint64_t* entries, uint8_t index) {
  return static_cast<int64_t>(entries[index]);
}

// (byte * scale + term) / 255, rounded, of four pixels as 16-bit numbers.
AVX2 inline __m256i colour_of_4(__m256i bytes, const uint8_t* indices, const uint64_t* entries) {
  const __m256i terms =
      _mm256_setr_epi64x(entry_of(entries, indices[0]), entry_of(entries, indices[1]),
                         entry_of(entries, indices[2]), entry_of(entries, indices[3]));
  const __m256i last_of_pixel =
      _mm256_setr_epi8(6, 7, 6, 7, 6, 7, 6, 7, 14, 15, 14, 15, 14, 15, 14, 15, 6, 7, 6, 7, 6, 7, 6,
                       7, 14, 15, 14, 15, 14, 15, 14, 15);
  const __m256i scales = _mm256_shuffle_epi8(terms, last_of_pixel);
  const __m256i sum = _mm256_add_epi16(_mm256_mullo_epi16(bytes, scales), terms);
  return _mm256_mulhi_epu16(sum, _mm256_set1_epi16(257));
}

// Eight pixels of four bytes, the last of no meaning.
AVX2 inline __m256i colour_of_8(__m256i low, __m256i high, const uint8_t* indices,
                                const uint64_t* entries) {
  const __m256i bytes = _mm256_packus_epi16(colour_of_4(low, indices, entries),
                                            colour_of_4(high, indices + 4, entries));
  return _mm256_permute4x64_epi64(bytes, 0b11011000);
}

AVX2 inline __m256i in_both_lanes(const uint8_t* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

AVX2 inline __m256i widened(const uint8_t* p) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

AVX2 void colour3_avx2(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
                       const HeatColours& colours) {
  constexpr char kNone = -1;
  // Pixels 0 to 3 begin at byte 0 of their load, pixels 4 to 7 at byte 4 of theirs.
  const __m256i widen_low = _mm256_setr_epi8(
      0, kNone, 1, kNone, 2, kNone, kNone, kNone, 3, kNone, 4, kNone, 5, kNone, kNone, kNone,  //
      6, kNone, 7, kNone, 8, kNone, kNone, kNone, 9, kNone, 10, kNone, 11, kNone, kNone, kNone);
  const __m256i four = _mm256_set1_epi8(4);
  const __m256i widen_high = _mm256_adds_epi8(
      widen_low, _mm256_andnot_si256(_mm256_cmpgt_epi8(_mm256_setzero_si256(), widen_low), four));
  const __m256i pack =
      _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, kNone, kNone, kNone, kNone,  //
                       kNone, kNone, kNone, kNone, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14);
  for (size_t p = 0; p < count * kWordPixels; p += 8, from += 24, to += 24) {
    const __m256i low = _mm256_shuffle_epi8(in_both_lanes(from), widen_low);
    const __m256i high = _mm256_shuffle_epi8(in_both_lanes(from + 8), widen_high);
    const __m256i packed =
        _mm256_shuffle_epi8(colour_of_8(low, high, indices + p, colours.entry), pack);
    const __m128i first = _mm256_castsi256_si128(packed);
    const __m128i second =
        _mm_or_si128(_mm256_extracti128_si256(packed, 1), _mm_srli_si128(first, 8));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), first);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 8), second);
  }
}

AVX2 void colour4_avx2(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
                       const HeatColours& colours) {
  const __m256i opaque = _mm256_set1_epi32(static_cast<int32_t>(0xFF000000u));
  for (size_t w = 0; w < count; ++w, from += 256, to += 256, indices += kWordPixels) {
    if (!opaque_avx2<4>(from)) {
      colour_general<4>(from, to, indices, colours);
      continue;
    }
    for (size_t p = 0; p < kWordPixels; p += 8) {
      const __m256i bytes = colour_of_8(widened(from + 4 * p), widened(from + 4 * p + 16),
                                        indices + p, colours.entry);
      store(to + 4 * p, _mm256_or_si256(bytes, opaque));
    }
  }
}

// Grey, as 32-bit numbers of eight pixels: term and scale are fetched by the pixels' indices.
AVX2 inline __m256i grey_of_8(__m256i bytes, const uint8_t* indices, const uint64_t* entries) {
  const __m256i places =
      _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(indices)));
  const auto* words = reinterpret_cast<const int*>(entries);
  const __m256i low = _mm256_i32gather_epi32(words, places, 8);       // terms 0 and 1
  const __m256i high = _mm256_i32gather_epi32(words + 1, places, 8);  // term 2 and the scale
  const __m256i term = _mm256_and_si256(low, _mm256_set1_epi32(0xFFFF));
  const __m256i sum =
      _mm256_add_epi16(_mm256_mullo_epi16(bytes, _mm256_srli_epi32(high, 16)), term);
  return _mm256_mulhi_epu16(sum, _mm256_set1_epi32(257));
}

AVX2 void colour1_avx2(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
                       const HeatColours& colours) {
  for (size_t p = 0; p < count * kWordPixels; p += 8) {
    const __m256i bytes =
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + p)));
    const __m256i grey = grey_of_8(bytes, indices + p, colours.entry);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(grey), _mm256_extracti128_si256(grey, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + p), _mm_packus_epi16(words, words));
  }
}

AVX2 void colour2_avx2(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
                       const HeatColours& colours) {
  for (size_t w = 0; w < count; ++w, from += 128, to += 128, indices += kWordPixels) {
    if (!opaque_avx2<2>(from)) {
      colour_general<2>(from, to, indices, colours);
      continue;
    }
    for (size_t p = 0; p < kWordPixels; p += 8) {
      const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * p));
      const __m256i bytes =
          _mm256_and_si256(_mm256_cvtepu16_epi32(here), _mm256_set1_epi32(0x00FF));
      const __m256i grey = grey_of_8(bytes, indices + p, colours.entry);
      const __m128i words =
          _mm_packs_epi32(_mm256_castsi256_si128(grey), _mm256_extracti128_si256(grey, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * p),
                       _mm_or_si128(words, _mm_set1_epi16(static_cast<int16_t>(0xFF00))));
    }
  }
}

// ---- AVX-512 with VBMI ----

AVX512 void indices_avx512(const uint32_t* pairs, const int32_t* places, const uint32_t* weights,
                           size_t count, uint8_t* out) {
  const __m512i half = _mm512_set1_epi32(1 << 29);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (size_t x = 0; x < count * kWordPixels; x += 64) {
    __m512i part[4];
    for (size_t i = 0; i < 4; ++i) {  // the places of 16 pixels lie within 16 pairs
      const int32_t* at = places + x + 16 * i;
      const __m512i lanes = _mm512_sub_epi32(load512(at), _mm512_set1_epi32(at[0]));
      const __m512i here = _mm512_permutexvar_epi32(lanes, load512(pairs + at[0]));
      const __m512i sum = _mm512_madd_epi16(here, load512(weights + x + 16 * i));
      part[i] = _mm512_srli_epi32(_mm512_add_epi32(sum, half), 22);
    }
    const __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(part[0], part[1]),
                                              _mm512_packs_epi32(part[2], part[3]));
    _mm512_storeu_si512(out + x, _mm512_permutexvar_epi32(order, bytes));
  }
}

// A table of 256 bytes in four registers.
struct Table {
  __m512i quarter[4];
};

AVX512 inline Table table_of(const uint8_t* bytes) {
  return {{load512(bytes), load512(bytes + 64), load512(bytes + 128), load512(bytes + 192)}};
}

// Which indices lie in the quarters from the second on.
struct Quarters {
  __mmask64 mask[3];
};

AVX512 inline __mmask64 from_quarter(__m512i indices, int quarter) {
  return _mm512_cmpge_epu8_mask(indices, _mm512_set1_epi8(static_cast<char>(64 * quarter)));
}

AVX512 inline __m512i look_up(const Table& table, __m512i indices, const Quarters& quarters) {
  __m512i found = _mm512_permutexvar_epi8(indices, table.quarter[0]);  // by the low six bits
  for (size_t q = 0; q < 3; ++q) {
    found = _mm512_mask_permutexvar_epi8(found, quarters.mask[q], indices, table.quarter[q + 1]);
  }
  return found;
}

// For each byte of the pixels of a word, which pixel it is of; and which bytes are of a channel.
template <size_t Channels>
struct Interleaving {
  uint8_t pixel[Channels][64];
  uint64_t channel[Channels][Channels];  // [part][channel]
};

template <size_t Channels>
constexpr Interleaving<Channels> interleaving() {
  Interleaving<Channels> made{};
  for (size_t byte = 0; byte < 64 * Channels; ++byte) {
    made.pixel[byte / 64][byte % 64] = static_cast<uint8_t>(byte / Channels);
    made.channel[byte / 64][byte % Channels] |= uint64_t{1} << (byte % 64);
  }
  return made;
}

// (byte * rest + colour * alpha) / 255, rounded, of 16-bit numbers.
AVX512 inline __m512i blend_numbers(__m512i byte, __m512i rest, __m512i colour, __m512i alpha) {
  const __m512i over = _mm512_add_epi16(_mm512_mullo_epi16(colour, alpha), _mm512_set1_epi16(128));
  const __m512i sum = _mm512_add_epi16(_mm512_mullo_epi16(byte, rest), over);
  return _mm512_mulhi_epu16(sum, _mm512_set1_epi16(257));
}

AVX512 inline __m512i even(__m512i bytes) {
  return _mm512_and_si512(bytes, _mm512_set1_epi16(0x00FF));
}
AVX512 inline __m512i odd(__m512i bytes) { return _mm512_srli_epi16(bytes, 8); }

AVX512 inline __m512i blend_bytes(__m512i bytes, __m512i colour, __m512i alpha) {
  const __m512i rest = _mm512_xor_si512(alpha, _mm512_set1_epi8(-1));  // 255 - alpha
  const __m512i evens = blend_numbers(even(bytes), even(rest), even(colour), even(alpha));
  const __m512i odds = blend_numbers(odd(bytes), odd(rest), odd(colour), odd(alpha));
  return _mm512_or_si512(evens, _mm512_slli_epi16(odds, 8));
}

template <size_t Channels>
AVX512 void colour_avx512(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
                          const HeatColours& colours) {
  static constexpr Interleaving<Channels> kInterleaving = interleaving<Channels>();
  constexpr bool kHasAlpha = Channels % 2 == 0;
  constexpr size_t kColours = Channels - kHasAlpha;
  constexpr size_t kBytes = kWordPixels * Channels;
  Table planes[kColours];
  for (size_t c = 0; c < kColours; ++c) planes[c] = table_of(colours.plane[c]);
  const Table alphas = table_of(colours.alpha);
  for (size_t w = 0; w < count; ++w, from += kBytes, to += kBytes, indices += kWordPixels) {
    const __m512i index = load512(indices);
    const Quarters quarters = {
        {from_quarter(index, 1), from_quarter(index, 2), from_quarter(index, 3)}};
    const __m512i alpha = look_up(alphas, index, quarters);
    if (_mm512_test_epi8_mask(alpha, alpha) == 0) {
      if (from != to) std::memcpy(to, from, kBytes);
      continue;
    }
    if constexpr (kHasAlpha) {
      if (!opaque_avx512<Channels>(from)) {
        colour_general<Channels>(from, to, indices, colours);
        continue;
      }
    }
    __m512i plane[kColours];
    for (size_t c = 0; c < kColours; ++c) plane[c] = look_up(planes[c], index, quarters);
    for (size_t part = 0; part < Channels; ++part) {
      const __m512i pixel = load512(kInterleaving.pixel[part]);
      __m512i colour = _mm512_set1_epi8(-1);
      for (size_t c = 0; c < kColours; ++c) {
        colour =
            _mm512_mask_permutexvar_epi8(colour, kInterleaving.channel[part][c], pixel, plane[c]);
      }
      const __m512i bytes = load512(from + 64 * part);
      const __m512i blended = blend_bytes(bytes, colour, _mm512_permutexvar_epi8(pixel, alpha));
      _mm512_storeu_si512(to + 64 * part, blended);
    }
  }
}

}  // namespace

const HeatKernels avx2_heat_kernels = {{any_nan_avx2, any_nan_64_avx2},
                                       {confidences_avx2<float>, confidences_avx2<double>},
                                       mix_avx2,
                                       indices_avx2,
                                       {colour1_avx2, colour2_avx2, colour3_avx2, colour4_avx2}};
const HeatKernels avx512_heat_kernels = {
    {any_nan_avx2, any_nan_64_avx2},
    {confidences_avx2<float>, confidences_avx2<double>},
    mix_avx2,
    indices_avx512,
    {colour_avx512<1>, colour_avx512<2>, colour_avx512<3>, colour_avx512<4>}};

}  // namespace runmask

#endif
