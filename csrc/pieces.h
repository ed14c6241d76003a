// Walking runs cut at row ends, one after the other; for rows with all their runs see rows.h.
//
// A run that crosses a row end joins pixels that are no neighbours in the image. Where rows matter,
// runs are walked as row pieces: cut at row ends, in raster order. Pieces of one row never touch.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runs.h"

namespace runmask {

// Follows positions that never decrease through rows of `width` pixels, without a division for
// most of them.
class RowTracker {
 public:
  explicit RowTracker(int64_t width) : width_(width) {}

  // Moves to the row of `position`.
  void seek(int64_t position) {
    const int64_t beyond = position - begin_;
    if (beyond < width_) return;
    const int64_t rows = beyond < 2 * width_ ? 1 : beyond / width_;
    row_ += rows;
    begin_ += rows * width_;
  }

  int64_t row() const { return row_; }
  int64_t begin() const { return begin_; }  // the row's first pixel

 private:
  int64_t width_;
  int64_t row_ = 0;
  int64_t begin_ = 0;
};

// Calls with (y, rows, x0, x1) of runs cut at row ends: pixels [x0, x1) of so many rows from y on,
// more than one only where a run fills them from end to end. O(runs).
template <class Index, class Call>
void for_each_band(Runs<Index> runs, int64_t width, const Call& call) {
  RowTracker row(width);
  for (size_t i = 0; i < runs.count; ++i) {
    int64_t start = runs.starts[i];
    const int64_t stop = start + runs.lengths[i];
    row.seek(start);
    while (stop - row.begin() > width) [[unlikely]] {
      // Of whole rows the last is left for the call below.
      const bool many = start == row.begin() && stop - start > 2 * width;
      const int64_t rows = many ? (stop - start - 1) / width : 1;
      call(row.row(), rows, start - row.begin(), width);
      start = row.begin() + rows * width;
      row.seek(start);
    }
    call(row.row(), int64_t{1}, start - row.begin(), stop - row.begin());
  }
}

// Calls with (y, x0, x1) of each row piece. O(pieces).
template <class Index, class Call>
void for_each_piece(Runs<Index> runs, int64_t width, const Call& call) {
  for_each_band(runs, width, [&](int64_t y, int64_t rows, int64_t x0, int64_t x1) {
    for (const int64_t end = y + rows; y < end; ++y) call(y, x0, x1);
  });
}

// O(runs), however many rows a run crosses.
template <class Index>
size_t count_pieces(Runs<Index> runs, int64_t width) {
  size_t pieces = 0;
  for_each_band(runs, width, [&](int64_t, int64_t rows, int64_t, int64_t) {
    pieces += static_cast<size_t>(rows);
  });
  return pieces;
}

}  // namespace runmask
