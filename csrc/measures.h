// What can be measured on runs besides their area and box.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"

namespace runmask {

// Raw moments: m[p][q] is the sum of x^p * y^q over all pixels set, for p + q up to 3. O(row runs).
struct Moments {
  double m[4][4];
};
Moments moments(const AnyRuns& runs, int64_t width);

// Runs cut at row ends: how many there are, and which, as row, first column and the one behind the
// last, in order. The arrays have room for row_runs() items. O(row runs).
size_t count_row_runs(const AnyRuns& runs, int64_t width);
void row_runs(const AnyRuns& runs, int64_t width, int32_t* y, int32_t* x0, int32_t* x1);

// The number of pixels set in each row, or in each column; `out` is zero at first.
void row_areas(const AnyRuns& runs, int64_t width, int64_t* out);
void column_areas(const AnyRuns& runs, int64_t width, int64_t* out);

// Whether a pixel is set. O(log runs).
bool is_set(const AnyRuns& runs, size_t pixel);

// Rows [top, bottom) as bits, each row beginning with a new byte; the first pixel is the highest
// bit of a byte, or the lowest. O(runs + pixels / 64).
void pack(const AnyRuns& runs, size_t width, size_t top, size_t bottom, bool highest_first,
          uint8_t* out);

}  // namespace runmask
