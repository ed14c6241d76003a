#include "measures.h"

#include <array>
#include <cstring>

#include "pieces.h"
#include "simd.h"
#include "words.h"

namespace runmask {
namespace {

// Sums of 1, i, i^2 and i^3 over from <= i < to.
std::array<double, 4> power_sums(int64_t from, int64_t to) {
  if (to == from + 1) {
    const auto x = static_cast<double>(from);
    return {1, x, x * x, x * x * x};
  }
  // Around the middle, where nothing cancels: i = middle + j.
  const double middle = static_cast<double>(from) + static_cast<double>(to - from - 1) / 2;
  const auto n = static_cast<double>(to - from);
  const double square = n * (n * n - 1) / 12;  // of all j
  return {n, n * middle, n * middle * middle + square,
          n * middle * middle * middle + 3 * middle * square};
}

uint8_t reversed(uint8_t byte) {
  return static_cast<uint8_t>((byte * 0x0202020202ull & 0x010884422010ull) % 1023);
}

}  // namespace

Moments moments(const AnyRuns& any, int64_t width) {
  Moments sums = {};
  with_runs(any, [&](auto runs) {
    for_each_band(runs, width, [&](int64_t y, int64_t rows, int64_t x0, int64_t x1) {
      const auto across = power_sums(x0, x1);
      const auto down = power_sums(y, y + rows);
      for (size_t p = 0; p < 4; ++p) {
        for (size_t q = 0; p + q < 4; ++q) sums.m[p][q] += across[p] * down[q];
      }
    });
  });
  return sums;
}

size_t count_row_runs(const AnyRuns& any, int64_t width) {
  return with_runs(any, [&](auto runs) { return count_pieces(runs, width); });
}

void row_runs(const AnyRuns& any, int64_t width, int32_t* y, int32_t* x0, int32_t* x1) {
  with_runs(any, [&](auto runs) {
    for_each_piece(runs, width, [&](int64_t row, int64_t from, int64_t to) {
      *y++ = static_cast<int32_t>(row);
      *x0++ = static_cast<int32_t>(from);
      *x1++ = static_cast<int32_t>(to);
    });
  });
}

void row_areas(const AnyRuns& any, int64_t width, int64_t* out) {
  with_runs(any, [&](auto runs) {
    for_each_piece(runs, width, [&](int64_t y, int64_t x0, int64_t x1) { out[y] += x1 - x0; });
  });
}

void column_areas(const AnyRuns& any, int64_t width, int64_t* out) {
  if (width == 0) return;
  int64_t open = 0;
  with_runs(any, [&](auto runs) {
    for_each_band(runs, width, [&](int64_t, int64_t rows, int64_t x0, int64_t x1) {
      out[x0] += rows;
      if (x1 < width) out[x1] -= rows;
    });
  });
  for (int64_t x = 0; x < width; ++x) out[x] = open += out[x];
}

bool is_set(const AnyRuns& any, size_t pixel) {
  return with_runs(any, [&](auto runs) {
    const size_t run = first_run_ending_after(runs, pixel);
    return run < runs.count && static_cast<size_t>(runs.starts[run]) <= pixel;
  });
}

void pack(const AnyRuns& any, size_t width, size_t top, size_t bottom, bool highest_first,
          uint8_t* out) {
  const Kernels& kernel = kernels();
  const size_t row_bytes = (width + 7) / 8;
  with_runs(any, [&]<class Index>(Runs<Index> runs) {
    uint64_t words[WordCursor<Index>::kWords];
    for (size_t y = top; y < bottom; ++y) {
      WordCursor<Index> cursor(runs, y * width, (y + 1) * width);
      for (size_t done = 0; const size_t pixels = cursor.next(kernel, words); done += pixels) {
        std::memcpy(out + done / 8, words, (pixels + 7) / 8);
      }
      if (highest_first) {
        for (size_t b = 0; b < row_bytes; ++b) out[b] = reversed(out[b]);
      }
      out += row_bytes;
    }
  });
}

}  // namespace runmask
