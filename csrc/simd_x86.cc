// The x86-64 kernels.
#include "simd.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <bit>
#include <cstring>

#include "blend_kernels.h"
#include "heatmap_kernels.h"
#include "x86.h"

namespace runmask {
namespace {

// ---- AVX2 ----

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

// ---- AVX-512 (with VBMI2: Ice Lake, Zen 4 and later) ----

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

}  // namespace

const Kernels avx2_kernels = {"avx2",
                              &avx2_blend_kernels,
                              &avx2_heat_kernels,
                              words_from_toggles_avx2,
                              bytes_from_words_avx2,
                              changes_avx2,
                              turns_avx2};
const Kernels avx512_kernels = {"avx512",
                                &avx512_blend_kernels,
                                &avx512_heat_kernels,
                                words_from_toggles_avx2,  // no faster in 512 bits
                                bytes_from_words_avx512,
                                changes_avx512,
                                turns_avx512};

}  // namespace runmask

#endif
