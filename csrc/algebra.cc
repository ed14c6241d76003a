#include "algebra.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "simd.h"
#include "threads.h"
#include "turn_writer.h"
#include "turns.h"
#include "words.h"
#include "writer.h"

namespace runmask {
namespace {

// Runs in a block of pixels, of either mask, from which its words are faster than its turns.
constexpr size_t kBlock = 2048;
constexpr size_t kDense = kBlock / 48;

template <class Index>
bool dense(Runs<Index> runs, size_t run, size_t end) {
  return run + kDense < runs.count && static_cast<size_t>(runs.starts[run + kDense]) < end;
}

// What lies before, between and behind runs, as if it were runs; the first and last may be empty.
template <class Index>
struct Gaps {
  Runs<Index> runs;
  Index total;

  size_t count() const { return runs.count + 1; }
  Index start(size_t i) const {
    return i == 0 ? Index{0} : static_cast<Index>(runs.starts[i - 1] + runs.lengths[i - 1]);
  }
  Index stop(size_t i) const { return i < runs.count ? runs.starts[i] : total; }
};

template <class Index>
struct Pieces {
  Runs<Index> runs;

  size_t count() const { return runs.count; }
  Index start(size_t i) const { return runs.starts[i]; }
  Index stop(size_t i) const { return static_cast<Index>(runs.starts[i] + runs.lengths[i]); }
};

// Calls piece(start, stop) for each run of `a` and run of `b` in turn, as they follow each other;
// where they do not meet, stop is not above start. What comes next of each is read before it is
// known which is needed, and nothing branches on the data: both keep the steps from waiting.
template <class Index, class A, class B, class Piece>
void walk(const A& a, const B& b, const Piece& piece) {
  if (a.count() == 0 || b.count() == 0) return;
  size_t i = 0, j = 0;
  Index a_start = a.start(0), a_stop = a.stop(0), b_start = b.start(0), b_stop = b.stop(0);
  while (i + 1 < a.count() && j + 1 < b.count()) {
    const Index next_a_start = a.start(i + 1), next_a_stop = a.stop(i + 1);
    const Index next_b_start = b.start(j + 1), next_b_stop = b.stop(j + 1);
    piece(std::max(a_start, b_start), std::min(a_stop, b_stop));
    const bool a_goes_on = a_stop <= b_stop;
    const bool b_goes_on = b_stop <= a_stop;
    i += a_goes_on;
    j += b_goes_on;
    a_start = a_goes_on ? next_a_start : a_start;
    a_stop = a_goes_on ? next_a_stop : a_stop;
    b_start = b_goes_on ? next_b_start : b_start;
    b_stop = b_goes_on ? next_b_stop : b_stop;
  }
  while (i < a.count() && j < b.count()) {
    a_stop = a.stop(i);
    b_stop = b.stop(j);
    piece(std::max(a.start(i), b.start(j)), std::min(a_stop, b_stop));
    i += a_stop <= b_stop;
    j += b_stop <= a_stop;
  }
}

template <class Index, class A, class B>
Result intersect(const A& a, const B& b, Array<Index>& starts, Array<Index>& lengths) {
  if (!starts.reserve_more(a.count() + b.count()) || !lengths.reserve_more(a.count() + b.count())) {
    return {Status::no_memory, 0};
  }
  Index* const out_starts = starts.data();
  Index* const out_lengths = lengths.data();
  size_t found = 0;
  walk<Index>(a, b, [&](Index start, Index stop) {
    out_starts[found] = start;
    out_lengths[found] = static_cast<Index>(stop - start);
    found += start < stop;
  });
  starts.set_size(found);
  lengths.set_size(found);
  return {};
}

// The runs lie between the pixels that are clear in both, of which the first and the last may be at
// the ends of the image.
template <class Index>
Result unite(Runs<Index> a, Runs<Index> b, Index total, Array<Index>& starts,
             Array<Index>& lengths) {
  if (!starts.reserve_more(a.count + b.count + 2) || !lengths.reserve_more(a.count + b.count + 2)) {
    return {Status::no_memory, 0};
  }
  Index* const out_starts = starts.data();
  Index* const out_lengths = lengths.data();
  const bool clear = (a.count == 0 || a.starts[0] > 0) && (b.count == 0 || b.starts[0] > 0);
  ptrdiff_t found = clear ? -1 : 0;  // what comes before the first pixel is no run
  Index open = 0;
  walk<Index>(Gaps<Index>{a, total}, Gaps<Index>{b, total}, [&](Index start, Index stop) {
    const ptrdiff_t place = std::max<ptrdiff_t>(found, 0);
    out_starts[place] = open;
    out_lengths[place] = static_cast<Index>(start - open);
    open = start < stop ? stop : open;
    found += start < stop;
  });
  auto count = static_cast<size_t>(found);
  if (open < total) {
    out_starts[count] = open;
    out_lengths[count] = static_cast<Index>(total - open);
    ++count;
  }
  starts.set_size(count);
  lengths.set_size(count);
  return {};
}

// For few runs: those that stand alone pass whole; of two that meet, what one has before the other
// is done, and what it has behind goes on as a run of its own.
template <class Index>
Result exclusive_or(Runs<Index> a, Runs<Index> b, Array<Index>& starts, Array<Index>& lengths) {
  RunWriter<Index> out(starts, lengths);
  out.expect(a.count + b.count);
  const Pieces<Index> pieces_a{a};
  const Pieces<Index> pieces_b{b};
  constexpr Index kNever = std::numeric_limits<Index>::max();
  size_t i = 0, j = 0;
  Index a_start = 0, a_stop = 0, b_start = 0, b_stop = 0;
  const auto next_a = [&](size_t run) {
    i = run;
    a_start = run < a.count ? pieces_a.start(run) : kNever;
    a_stop = run < a.count ? pieces_a.stop(run) : kNever;
  };
  const auto next_b = [&](size_t run) {
    j = run;
    b_start = run < b.count ? pieces_b.start(run) : kNever;
    b_stop = run < b.count ? pieces_b.stop(run) : kNever;
  };
  next_a(0);
  next_b(0);
  while (i < a.count || j < b.count) {
    if (a_stop < b_start) {
      out.add(a_start, a_stop);
      next_a(i + 1);
    } else if (b_stop < a_start) {
      out.add(b_start, b_stop);
      next_b(j + 1);
    } else {
      out.add(std::min(a_start, b_start), std::max(a_start, b_start));
      if (a_stop < b_stop) {
        b_start = a_stop;
        next_a(i + 1);
      } else if (b_stop < a_stop) {
        a_start = b_stop;
        next_b(j + 1);
      } else {
        next_a(i + 1);
        next_b(j + 1);
      }
    }
  }
  return out.finish();
}

template <class Index>
Result complement(Runs<Index> runs, Index total, Array<Index>& starts, Array<Index>& lengths) {
  if (!starts.reserve_more(runs.count + 1) || !lengths.reserve_more(runs.count + 1)) {
    return {Status::no_memory, 0};
  }
  const Index first = runs.count == 0 ? total : runs.starts[0];
  if (first > 0) {
    starts.append(0);
    lengths.append(first);
  }
  if (runs.count == 0) return {};
  const size_t inner = runs.count - 1;
  Index* const out_starts = starts.end();
  Index* const out_lengths = lengths.end();
  for (size_t i = 0; i < inner; ++i) {
    out_starts[i] = static_cast<Index>(runs.starts[i] + runs.lengths[i]);
    out_lengths[i] = static_cast<Index>(runs.starts[i + 1] - out_starts[i]);
  }
  starts.set_size(starts.size() + inner);
  lengths.set_size(lengths.size() + inner);
  const Index last = static_cast<Index>(runs.starts[inner] + runs.lengths[inner]);
  if (last < total) {
    starts.append(last);
    lengths.append(static_cast<Index>(total - last));
  }
  return {};
}

// For many runs: turn by turn, or a block of words at a time where dense.
template <class Index>
class Combination {
 public:
  Combination(Runs<Index> a, Runs<Index> b, Operation operation, Index total, Array<Index>& starts,
              Array<Index>& lengths)
      : a_(a),
        b_(b),
        table_(static_cast<unsigned>(operation)),
        total_(total),
        turns_a_(a, total),
        turns_b_(b, total),
        words_a_(a, 0, static_cast<size_t>(total)),
        words_b_(b, 0, static_cast<size_t>(total)),
        out_(starts, lengths) {}

  Result run() {
    const auto total = static_cast<size_t>(total_);
    for (size_t at = 0; at < total && !out_.failed();) {
      const size_t end = std::min(at + kBlock, total);
      if (dense(a_, turns_a_.run(), end) || dense(b_, turns_b_.run(), end)) {
        by_words(at);
        at = end;
        follow(at);
      } else {
        by_turns(at, static_cast<Index>(end));
        const Index next = std::min(turns_a_.next(), turns_b_.next());
        at = std::max(end, static_cast<size_t>(next) / kBlock * kBlock);
      }
    }
    if (out_.inside()) out_.turn(total_);
    return {out_.failed() ? Status::no_memory : Status::ok, 0};
  }

 private:
  bool set() const { return table_ >> (2 * turns_a_.inside() + turns_b_.inside()) & 1; }

  void by_turns(size_t at, Index end) {
    for (Index here = static_cast<Index>(at); here < end;) {
      if (turns_a_.next() == here) turns_a_.advance();
      if (turns_b_.next() == here) turns_b_.advance();
      if (set() != out_.inside()) out_.turn(here);
      here = std::min(turns_a_.next(), turns_b_.next());
    }
  }

  void by_words(size_t at) {
    const Kernels& kernel = kernels();
    uint64_t a[kBlock / 64], b[kBlock / 64];
    words_a_.seek(turns_a_.run(), at);
    words_b_.seek(turns_b_.run(), at);
    const size_t size = words_a_.next(kernel, a);
    words_b_.next(kernel, b);
    const auto when = [this](unsigned bit) { return table_ >> bit & 1 ? ~uint64_t{0} : 0; };
    const uint64_t both = when(3), first = when(2), second = when(1);
    for (size_t w = 0; w < kBlock / 64; ++w) {
      a[w] = (a[w] & ((b[w] & both) | (~b[w] & first))) | (~a[w] & b[w] & second);
    }
    out_.words(kernel, a, (size + 63) / 64, at);
  }

  // Moves the turns to where the words have got.
  void follow(size_t at) {
    turns_a_.seek(words_a_.run(), began(a_, words_a_.run(), at));
    turns_b_.seek(words_b_.run(), began(b_, words_b_.run(), at));
  }
  static bool began(Runs<Index> runs, size_t run, size_t at) {
    return run < runs.count && static_cast<size_t>(runs.starts[run]) < at;
  }

  Runs<Index> a_, b_;
  unsigned table_;
  Index total_;
  TurnReader<Index> turns_a_, turns_b_;
  WordCursor<Index> words_a_, words_b_;
  TurnWriter<Index> out_;
};

// Runs moved by a number of pixels; they may leave the image.
template <class Index>
struct Moved {
  Runs<Index> runs;
  int64_t shift;

  size_t count() const { return runs.count; }
  int64_t start(size_t i) const { return runs.starts[i] + shift; }
  int64_t stop(size_t i) const { return start(i) + runs.lengths[i]; }
};

template <class Index>
uint64_t overlap_of_many(Runs<Index> a, Runs<Index> b, size_t end) {
  const Kernels& kernel = kernels();
  WordCursor<Index> cursor_a(a, 0, end), cursor_b(b, 0, end);
  uint64_t words_a[kBlock / 64], words_b[kBlock / 64];
  uint64_t sum = 0;
  while (const size_t size = cursor_a.next(kernel, words_a)) {
    cursor_b.next(kernel, words_b);
    for (size_t w = 0; w < (size + 63) / 64; ++w) {
      sum += static_cast<uint64_t>(std::popcount(words_a[w] & words_b[w]));
    }
  }
  return sum;
}

template <class Index>
uint64_t overlap(Runs<Index> a, Runs<Index> b, int64_t shift) {
  uint64_t sum = 0;
  if (a.count == 0 || b.count == 0) return sum;
  const auto end = static_cast<size_t>(
      std::min(Pieces<Index>{a}.stop(a.count - 1), Pieces<Index>{b}.stop(b.count - 1)));
  if (shift == 0 && (a.count + b.count) * 32 > end) {
    sum = overlap_of_many(a, b, end);
  } else if (shift == 0) {
    walk<Index>(Pieces<Index>{a}, Pieces<Index>{b}, [&](Index start, Index stop) {
      sum += stop > start ? static_cast<uint64_t>(stop - start) : 0;
    });
  } else {
    walk<int64_t>(Moved<Index>{a, shift}, Moved<Index>{b, 0}, [&](int64_t start, int64_t stop) {
      sum += stop > start ? static_cast<uint64_t>(stop - start) : 0;
    });
  }
  return sum;
}

}  // namespace

Result combine(const AnyRuns& any_a, const AnyRuns& any_b, Operation operation, int64_t any_total,
               AnyArrays& out) {
  return with_runs(any_a, [&]<class Index>(Runs<Index> a) -> Result {
    const Runs<Index> b = any_b.as<Index>();
    const auto total = static_cast<Index>(any_total);
    auto& starts = out.starts<Index>();
    auto& lengths = out.lengths<Index>();
    const bool few = (a.count + b.count) * 64 < static_cast<size_t>(total);
    if (few && operation == Operation::both) {
      return intersect<Index>(Pieces<Index>{a}, Pieces<Index>{b}, starts, lengths);
    }
    if (few && operation == Operation::first_only) {
      return intersect<Index>(Pieces<Index>{a}, Gaps<Index>{b, total}, starts, lengths);
    }
    if (few && operation == Operation::either) return unite(a, b, total, starts, lengths);
    if (few && operation == Operation::one_of_both) return exclusive_or(a, b, starts, lengths);
    return Combination<Index>(a, b, operation, total, starts, lengths).run();
  });
}

Result complement(const AnyRuns& any, int64_t total, AnyArrays& out) {
  return with_runs(any, [&]<class Index>(Runs<Index> runs) {
    return complement(runs, static_cast<Index>(total), out.starts<Index>(), out.lengths<Index>());
  });
}

uint64_t overlap(const AnyRuns& a, const AnyRuns& b, int64_t shift) {
  return with_runs(
      a, [&]<class Index>(Runs<Index> first) { return overlap(first, b.as<Index>(), shift); });
}

bool overlaps(const AnyRuns* a, size_t rows, const AnyRuns* b, size_t columns, int64_t width,
              int threads, uint64_t* out) {
  Array<Box> boxes;
  if (!boxes.reserve_more(rows + columns)) return false;
  size_t runs = 0;
  for (size_t i = 0; i < rows; ++i) runs += a[i].count;
  for (size_t i = 0; i < rows; ++i) boxes.append(bounding_box(a[i], width));
  for (size_t j = 0; j < columns; ++j) boxes.append(bounding_box(b[j], width));
  const auto meet = [](const Box& one, const Box& other) {
    return std::max(one.x0, other.x0) < std::min(one.x1, other.x1) &&
           std::max(one.y0, other.y0) < std::min(one.y1, other.y1);
  };
  const size_t least_rows =
      (size_t{1} << 16) / (runs / std::max<size_t>(rows, 1) * columns + 1) + 1;
  in_parallel(rows, threads, least_rows, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      for (size_t j = 0; j < columns; ++j) {
        out[i * columns + j] = meet(boxes[i], boxes[rows + j]) ? overlap(a[i], b[j]) : 0;
      }
    }
  });
  return true;
}

}  // namespace runmask
