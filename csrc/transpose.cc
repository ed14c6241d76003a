#include "transpose.h"

#include <algorithm>
#include <numeric>

#include "rows.h"
#include "transpose_bits.h"

namespace runmask {
namespace {

// Neighbouring columns that turn at one row, to set or to clear, from there downwards.
struct Turn {
  uint32_t from, to;  // columns, and later stripes
  uint32_t row;
};

constexpr uint32_t kNoColumn = UINT32_MAX;

// Lists where each row differs from the one above it, row after row.
class RowComparison {
 public:
  RowComparison(int64_t width, Array<Turn>& turns) : width_(width), turns_(turns) {}

  // False if there is no memory. O(runs): rows between that are like the one above cost nothing.
  template <class Index>
  bool list(Runs<Index> runs) {
    // What a row can have, and two ends.
    const size_t most = std::min(static_cast<size_t>(width_), 2 * runs.count) + 4;
    failed_ = !above_.reserve_more(most) || !here_.reserve_more(most) ||
              !turns_.reserve_more(runs.count + runs.count / 4);
    int64_t row = 0;
    int64_t base = 0;
    int64_t from = runs.count != 0 ? start_of(runs, 0) : 0;  // what is left of run i
    for (size_t i = 0; i < runs.count && !failed_;) {
      if (from - base >= width_) {
        compare(row);  // an empty row
        row += from - base < 2 * width_ ? 1 : (from - base) / width_;
        base = row * width_;
      }
      const int64_t end = base + width_;
      uint32_t* here = here_.data();
      int64_t stop = stop_of(runs, i);
      while (stop <= end && from < end) {
        *here++ = static_cast<uint32_t>(from - base);
        *here++ = static_cast<uint32_t>(stop - base);
        if (++i == runs.count) break;
        from = start_of(runs, i);
        stop = stop_of(runs, i);
      }
      int64_t rows = 1;
      if (i < runs.count && from < end) {  // goes on below
        *here++ = static_cast<uint32_t>(from - base);
        *here++ = static_cast<uint32_t>(width_);
        if (from == base) rows = (stop - base) / width_;  // it fills all of them
        from = base + rows * width_;
        if (from == stop && ++i < runs.count) from = start_of(runs, i);
      }
      here_.set_size(static_cast<size_t>(here - here_.data()));
      compare(row);
      row += rows;
      base += rows * width_;
    }
    compare(row);  // nothing lies below the last row
    return !failed_;
  }

 private:
  // Of the row collected with the one above; then it is the one above.
  void compare(int64_t row) {
    failed_ |= !turns_.reserve_more(above_.size() + here_.size() + 1);
    for (size_t i = 0; i < 2; ++i) above_.end()[i] = here_.end()[i] = kNoColumn;
    if (!failed_ && !alike()) {
      list_turns(above_.data(), here_.data(), static_cast<uint32_t>(row));
    }
    above_.swap(here_);
    here_.set_size(0);
  }

  // Where rows differ, mostly the first run does.
  bool alike() const {
    return above_.size() == here_.size() && above_[0] == here_[0] && above_[1] == here_[1] &&
           std::equal(above_.data(), above_.end(), here_.data());
  }

  void list_turns(const uint32_t* a, const uint32_t* b, uint32_t row) {
    Turn* next = turns_.end();
    for (;;) {
      // Mostly a run is a little longer or shorter than the one above it.
      const uint32_t from = std::min(*a, *b);
      const uint32_t to = std::max(*a, *b);
      if (to < std::min(a[1], b[1])) {
        *next = {from, to, row};
        next += from != to;
        ++a;
        ++b;
        continue;
      }
      if (from == kNoColumn) break;
      uint32_t before = from;
      bool differ = false;
      do {
        const uint32_t here = std::min(*a, *b);
        *next = {before, here, row};
        next += differ;
        before = here;
        const bool above_turns = *a == here;
        const bool here_turns = *b == here;
        differ ^= above_turns != here_turns;
        a += above_turns;
        b += here_turns;
      } while (differ);
    }
    turns_.set_size(static_cast<size_t>(next - turns_.data()));
  }

  int64_t width_;
  Array<Turn>& turns_;
  Array<uint32_t> above_, here_;  // where a row turns: set, clear, set, clear ...
  bool failed_ = false;
};

// Columns between two neighbouring borders of turns: all of a stripe have the same pixels.
class Stripes {
 public:
  // Finds the stripes and makes each turn's columns stripes; false if there is no memory.
  bool split(Array<Turn>& turns, int64_t width) {
    const auto columns = static_cast<size_t>(width) + 1;
    return columns / 8 <= turns.size() + 4096 ? split_by_marks(turns, columns)
                                              : split_by_sorting(turns);
  }

  size_t count() const { return borders_.size() - 1; }
  int64_t from(size_t stripe) const { return borders_[stripe]; }
  int64_t to(size_t stripe) const { return borders_[stripe + 1]; }

 private:
  bool split_by_marks(Array<Turn>& turns, size_t columns) {
    Array<uint32_t> place;
    if (!place.reserve_more(columns)) return false;
    std::fill_n(place.data(), columns, 0);
    size_t borders = 0;
    for (const Turn& turn : turns) {
      borders += (place[turn.from] == 0) + (place[turn.to] == 0);
      place[turn.from] = place[turn.to] = 1;
    }
    if (borders > columns / 2) {  // few columns are alike: each is a stripe
      if (!borders_.reserve_more(columns)) return false;
      borders_.set_size(columns);
      std::iota(borders_.begin(), borders_.end(), 0);
      return true;
    }
    if (!borders_.reserve_more(borders)) return false;
    for (size_t column = 0; column < columns; ++column) {
      if (place[column] == 0) continue;
      place[column] = static_cast<uint32_t>(borders_.size());
      borders_.append(static_cast<uint32_t>(column));
    }
    for (Turn& turn : turns) {
      turn.from = place[turn.from];
      turn.to = place[turn.to];
    }
    return true;
  }

  // For images much wider than there are runs.
  bool split_by_sorting(Array<Turn>& turns) {
    if (!borders_.reserve_more(2 * turns.size())) return false;
    for (const Turn& turn : turns) {
      borders_.append(turn.from);
      borders_.append(turn.to);
    }
    std::sort(borders_.begin(), borders_.end());
    borders_.set_size(
        static_cast<size_t>(std::unique(borders_.begin(), borders_.end()) - borders_.begin()));
    const auto place = [this](uint32_t column) {
      return static_cast<uint32_t>(std::lower_bound(borders_.begin(), borders_.end(), column) -
                                   borders_.begin());
    };
    for (Turn& turn : turns) {
      turn.from = place(turn.from);
      turn.to = place(turn.to);
    }
    return true;
  }

  Array<uint32_t> borders_;
};

// Where one column of each stripe turns: set, clear, set, clear ... Those of stripe s are
// [first[s], first[s + 1]).
struct StripeTurns {
  Array<size_t> first;
  Array<uint32_t> rows;
};

// Counts the turns of each stripe; returns the runs of all columns together, or -1 without memory.
int64_t count_runs(const Array<Turn>& turns, const Stripes& stripes, Array<size_t>& first) {
  if (!first.reserve_more(stripes.count() + 2)) return -1;
  first.set_size(stripes.count() + 2);
  std::fill(first.begin(), first.end(), 0);
  size_t* more = first.data() + 1;  // how many more than the stripe before, modulo 2**64
  for (const Turn& turn : turns) {
    ++more[turn.from];
    --more[turn.to];
  }
  int64_t all = 0;
  size_t here = 0;
  size_t sum = 0;
  for (size_t s = 0; s < stripes.count(); ++s) {
    here += more[s];
    all += static_cast<int64_t>(here / 2) * (stripes.to(s) - stripes.from(s));
    sum += here;
    more[s] = sum;
  }
  return all;
}

bool collect_turns(const Array<Turn>& turns, size_t stripes, StripeTurns& columns) {
  Array<size_t> next;
  if (!columns.rows.reserve_more(columns.first[stripes]) || !next.reserve_more(stripes)) {
    return false;
  }
  std::copy_n(columns.first.data(), stripes, next.data());
  uint32_t* rows = columns.rows.data();
  for (const Turn& turn : turns) {
    uint32_t s = turn.from;
    do {
      rows[next[s]++] = turn.row;
    } while (++s < turn.to);
  }
  return true;
}

// Column after column; runs that end with one and begin with the next become one.
template <class Index>
void write_columns(const StripeTurns& columns, const Stripes& stripes, int64_t height,
                   Array<Index>& out_starts, Array<Index>& out_lengths) {
  Index* starts = out_starts.end();
  Index* lengths = out_lengths.end();
  size_t written = 0;
  int64_t stop = -1;
  for (size_t s = 0; s < stripes.count(); ++s) {
    const uint32_t* const first = columns.rows.data() + columns.first[s];
    const uint32_t* const last = columns.rows.data() + columns.first[s + 1];
    if (first == last) continue;
    const bool full = first[0] == 0 && first[1] == height;
    const int64_t repeats = full ? 1 : stripes.to(s) - stripes.from(s);
    int64_t base = stripes.from(s) * height;
    for (int64_t column = 0; column < repeats; ++column, base += height) {
      const uint32_t* turn = first;
      if (turn[0] == 0 && stop == base) {
        lengths[written - 1] = static_cast<Index>(lengths[written - 1] + turn[1]);
        turn += 2;
      }
      for (; turn != last; turn += 2, ++written) {
        starts[written] = static_cast<Index>(base + turn[0]);
        lengths[written] = static_cast<Index>(turn[1] - turn[0]);
      }
      stop = base + last[-1];
    }
    if (full) {
      const int64_t others = (stripes.to(s) - stripes.from(s) - 1) * height;
      lengths[written - 1] = static_cast<Index>(lengths[written - 1] + others);
      stop += others;
    }
  }
  out_starts.set_size(out_starts.size() + written);
  out_lengths.set_size(out_lengths.size() + written);
}

// Measured, in what a pixel costs in packed bits: to read a run, to place a turn, and to place a
// run of a stripe. What the result costs to write is the same on both ways.
constexpr size_t kRunCost = 40;
constexpr size_t kTurnCost = 48;
constexpr size_t kPlaceCost = 24;

template <class Index>
Result transpose_any(Runs<Index> runs, int64_t height, int64_t width, TransposeRoute route,
                     Array<Index>& starts, Array<Index>& lengths) {
  const auto by_bits = [&] {
    return transpose_bits(runs, static_cast<size_t>(height), static_cast<size_t>(width), starts,
                          lengths);
  };
  const bool squares = std::min(height, width) >= 32;  // else most of each would be empty
  const auto pixels = static_cast<size_t>(height * width);
  const bool choose = route == TransposeRoute::measured && squares;
  if (choose ? runs.count * kRunCost > pixels : route == TransposeRoute::bits) return by_bits();

  Array<Turn> turns;
  Stripes stripes;
  StripeTurns columns;
  if (!RowComparison(width, turns).list(runs) || !stripes.split(turns, width)) {
    return {Status::no_memory, 0};
  }
  const int64_t most = count_runs(turns, stripes, columns.first);
  const size_t places = most < 0 ? 0 : columns.first[stripes.count()] / 2;
  if (choose && turns.size() * kTurnCost + places * kPlaceCost > pixels) return by_bits();
  if (most < 0 || !starts.reserve_more(static_cast<size_t>(most)) ||
      !lengths.reserve_more(static_cast<size_t>(most)) ||
      !collect_turns(turns, stripes.count(), columns)) {
    return {Status::no_memory, 0};
  }
  write_columns(columns, stripes, height, starts, lengths);
  return {};
}

template <class Index>
Result copy(Runs<Index> runs, Array<Index>& starts, Array<Index>& lengths) {
  if (!starts.reserve_more(runs.count) || !lengths.reserve_more(runs.count)) {
    return {Status::no_memory, 0};
  }
  std::copy_n(runs.starts, runs.count, starts.data());
  std::copy_n(runs.lengths, runs.count, lengths.data());
  starts.set_size(runs.count);
  lengths.set_size(runs.count);
  return {};
}

}  // namespace

Result transpose(const AnyRuns& any, int64_t height, int64_t width, AnyArrays& out,
                 TransposeRoute route) {
  const auto call = [&](auto runs, auto& starts, auto& lengths) {
    if (runs.count == 0) return Result{};
    if (height == 1 || width == 1) return copy(runs, starts, lengths);  // in the same order
    return transpose_any(runs, height, width, route, starts, lengths);
  };
  return any.wide ? call(any.as<int64_t>(), out.wide_starts, out.wide_lengths)
                  : call(any.as<int32_t>(), out.narrow_starts, out.narrow_lengths);
}

}  // namespace runmask
