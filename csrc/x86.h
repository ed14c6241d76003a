// What the files of x86-64 kernels share. Instruction sets are named function by function, so that
// all files are compiled for the oldest processor and only the functions that may be called use
// more.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the deliberately undefined registers of its own intrinsics for a mistake of ours.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#if defined(__GNUC__)
#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,pclmul")))
#define AVX512                                                                   \
  __attribute__((                                                                \
      target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi,bmi2,lzcnt,popcnt," \
             "pclmul")))
#else
#define AVX2
#define AVX512
#endif

#endif
