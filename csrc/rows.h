// Runs taken row by row: what operations need that treat the columns of an image.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runs.h"
#include "writer.h"

namespace runmask {

// Rows [y, y + count) of an image and the runs [first, last) with pixels in them. There is more
// than one row only where a single run covers them all from end to end.
struct RowBand {
  int64_t y, count;
  size_t first, last;
};

template <class Index>
int64_t start_of(Runs<Index> runs, size_t run) {
  return runs.starts[run];
}
template <class Index>
int64_t stop_of(Runs<Index> runs, size_t run) {
  return int64_t{runs.starts[run]} + runs.lengths[run];
}

// The first of runs [from, to) that starts at `pixel` or after it, else `to`; near `from` it is
// found sooner. O(log of the distance).
template <class Index>
size_t first_starting_at(Runs<Index> runs, size_t from, size_t to, int64_t pixel) {
  size_t high = from;
  const size_t few = std::min(from + 8, to);
  while (high < few && runs.starts[high] < pixel) ++high;
  if (high < few || high == to) return high;
  size_t low = high;
  for (size_t step = 8; high < to && runs.starts[high] < pixel; step *= 2) {
    low = high + 1;
    high += step;
  }
  high = std::min(high, to);
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (runs.starts[middle] < pixel) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// The same for a place near `to`.
template <class Index>
size_t first_starting_at_from_end(Runs<Index> runs, size_t to, int64_t pixel) {
  size_t low = to;
  const size_t few = to - std::min<size_t>(to, 8);
  while (low > few && runs.starts[low - 1] >= pixel) --low;
  if (low > few || low == 0) return low;
  size_t high = low;
  for (size_t step = 8; low > 0 && runs.starts[low - 1] >= pixel; step *= 2) {
    high = low - 1;
    low -= std::min(low, step);
  }
  return first_starting_at(runs, low, high, pixel);
}

// Walks the rows that hold runs, from `first_row` down. O(log runs of the row) a row.
template <class Index>
class RowCursor {
 public:
  RowCursor(Runs<Index> runs, int64_t width, int64_t first_row = 0)
      : runs_(runs),
        width_(width),
        y_(first_row),
        row_(first_row * width),
        run_(first_row == 0 ? 0 : first_run_ending_after(runs, static_cast<size_t>(row_))) {}

  bool next(RowBand& band) {
    if (run_ == runs_.count) return false;
    const int64_t from = start_of(runs_, run_);
    const int64_t stop = stop_of(runs_, run_);
    if (from >= row_ + width_) {
      const int64_t rows = from - row_ < 2 * width_ ? 1 : (from - row_) / width_;
      y_ += rows;
      row_ += rows * width_;
    }
    if (from <= row_ && stop - row_ >= width_) {
      const int64_t rows = stop - row_ < 2 * width_ ? 1 : (stop - row_) / width_;
      band = {y_, rows, run_, run_ + 1};
      y_ += rows;
      row_ += rows * width_;
      run_ += stop == row_;
      return true;
    }
    const size_t last = first_starting_at(runs_, run_ + 1, runs_.count, row_ + width_);
    band = {y_, 1, run_, last};
    ++y_;
    row_ += width_;
    run_ = stop_of(runs_, last - 1) > row_ ? last - 1 : last;
    return true;
  }

 private:
  Runs<Index> runs_;
  int64_t width_;
  int64_t y_;    // no row above is left,
  int64_t row_;  // and no pixel before y_ * width_
  size_t run_;
};

// The same rows from the last one up.
template <class Index>
class RowCursorUp {
 public:
  RowCursorUp(Runs<Index> runs, int64_t height, int64_t width)
      : runs_(runs), width_(width), y_(height), row_(height * width) {}

  bool next(RowBand& band) {
    if (runs_.count == 0) return false;
    const size_t run = runs_.count - 1;
    const int64_t from = start_of(runs_, run);
    const int64_t stop = std::min(stop_of(runs_, run), row_);
    const int64_t rows = stop > row_ - width_ ? 1 : (row_ - stop) / width_ + 1;
    y_ -= rows;
    row_ -= rows * width_;
    if (from <= row_ && stop - row_ == width_) {
      const int64_t more = from > row_ - width_ ? 0 : (row_ - from) / width_;
      y_ -= more;
      row_ -= more * width_;
      band = {y_, more + 1, run, run + 1};
      runs_.count -= from == row_;
      return true;
    }
    const size_t first = first_starting_at_from_end(runs_, run + 1, row_);
    const bool cut = first > 0 && stop_of(runs_, first - 1) > row_;  // one comes from above
    band = {y_, 1, first - cut, run + 1};
    runs_.count = first;
    return true;
  }

 private:
  Runs<Index> runs_;  // those left
  int64_t width_;
  int64_t y_;    // no row from here on is left,
  int64_t row_;  // and no pixel from y_ * width_ on
};

// Adds the pixels [from, to) of runs [first, last), which all have some, moved by `shift`. Masks of
// few runs have few in a row: a call for each would cost as much as what it does.
template <class In, class Out>
[[gnu::always_inline]] inline void add_pieces(RunWriter<Out>& out, Runs<In> runs, size_t first,
                                              size_t last, int64_t from, int64_t to,
                                              int64_t shift) {
  if (first == last) return;
  out.add_all(runs.starts + first, runs.lengths + first, last - first, shift,
              std::max<int64_t>(from - start_of(runs, first), 0),
              std::max<int64_t>(stop_of(runs, last - 1) - to, 0));
}

// The same mirrored: pixel p becomes pixel mirror - 1 - p.
template <class In, class Out>
[[gnu::always_inline]] inline void add_mirrored(RunWriter<Out>& out, Runs<In> runs, size_t first,
                                                size_t last, int64_t from, int64_t to,
                                                int64_t mirror) {
  if (first == last) return;
  out.add_all_mirrored(runs.starts + first, runs.lengths + first, last - first, mirror,
                       std::max<int64_t>(from - start_of(runs, first), 0),
                       std::max<int64_t>(stop_of(runs, last - 1) - to, 0));
}

}  // namespace runmask
