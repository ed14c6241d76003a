// What the files of x86-64 kernels share. Instruction sets are named function by function, so that
// all files are compiled for the oldest processor and only the functions that may be called use
// more.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#include <cstdint>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the deliberately undefined registers of its own intrinsics for a mistake of ours.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#if defined(__GNUC__)
#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,pclmul")))
#define AVX512                                                                       \
  __attribute__((                                                                    \
      target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi,bmi2,lzcnt," \
             "popcnt,pclmul")))
#else
#define AVX2
#define AVX512
#endif

namespace runmask {

AVX2 inline __m256i load(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
AVX2 inline void store(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
AVX512 inline __m512i load512(const void* p) { return _mm512_loadu_si512(p); }

// Bit i of the result is the parity of bits 0 to i: a carry-less product with all ones.
AVX2 inline uint64_t prefix_parity(uint64_t x) {
  const __m128i ones = _mm_set1_epi8(-1);
  const __m128i bits = _mm_cvtsi64_si128(static_cast<int64_t>(x));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_clmulepi64_si128(bits, ones, 0)));
}

}  // namespace runmask

#endif
