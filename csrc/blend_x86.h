// What the x86-64 kernels of blend_x86.cc and heatmap_x86.cc share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd.h"
#include "x86.h"

namespace runmask {

// Whether all pixels of a word with an alpha channel are opaque.
template <size_t Channels>
AVX2 inline bool opaque_avx2(const uint8_t* pixels) {
  constexpr uint32_t kAlphas = Channels == 4 ? 0xFF000000u : 0xFF00FF00u;
  __m256i all = _mm256_set1_epi8(-1);
  for (size_t b = 0; b < Channels * kWordPixels; b += 32) {
    all = _mm256_and_si256(all, load(pixels + b));
  }
  return _mm256_testc_si256(all, _mm256_set1_epi32(static_cast<int32_t>(kAlphas)));
}
template <size_t Channels>
AVX512 inline bool opaque_avx512(const uint8_t* pixels) {
  constexpr uint64_t kAlphas = Channels == 4 ? 0x8888888888888888u : 0xAAAAAAAAAAAAAAAAu;
  __m512i all = _mm512_set1_epi8(-1);
  for (size_t b = 0; b < Channels * kWordPixels; b += 64) {
    all = _mm512_and_si512(all, load512(pixels + b));
  }
  return (_mm512_cmpeq_epi8_mask(all, _mm512_set1_epi8(-1)) & kAlphas) == kAlphas;
}

}  // namespace runmask
