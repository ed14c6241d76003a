#include "runs.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "simd.h"
#include "turns.h"
#include "words.h"

namespace runmask {
namespace {

template <class Index>
struct Span {
  Index start, stop;
};

// Runs are copied and judged this many at a time, so that the copy stays in the first cache.
constexpr size_t kReadChunk = 512;

// Whether a chunk goes on canonically after a run that stopped at `before` (-1: none). What must
// not be negative is collected in one word, whose sign tells: no branch, and vectors everywhere.
template <class In, class Index>
bool canonical(const In* starts, const In* lengths, size_t count, In before, Index total) {
  using U = std::make_unsigned_t<In>;  // wraps where signed numbers must not
  const auto start = [&](size_t i) { return static_cast<U>(starts[i]); };
  const auto length = [&](size_t i) { return static_cast<U>(lengths[i]); };
  const auto alone = [&](size_t i) { return start(i) | (length(i) - 1) | (start(i) + length(i)); };
  U signs = alone(0) | (start(0) - static_cast<U>(before) - 1);
  for (size_t i = 1; i < count; ++i) {
    signs |= alone(i) | (start(i) - start(i - 1) - length(i - 1) - 1);
  }
  return static_cast<In>(signs) >= 0 && starts[count - 1] + lengths[count - 1] <= total;
}

// The common case: the runs are canonical already. Appends what it has read before it gives up.
template <class In, class Index>
bool read_canonical(const In* starts, const In* lengths, size_t count, Index total,
                    Array<Index>& out_starts, Array<Index>& out_lengths) {
  In chunk_starts[kReadChunk];
  In chunk_lengths[kReadChunk];
  In before = -1;
  for (size_t at = 0; at < count; at += kReadChunk) {
    const size_t size = std::min(kReadChunk, count - at);
    std::memcpy(chunk_starts, starts + at, size * sizeof(In));
    std::memcpy(chunk_lengths, lengths + at, size * sizeof(In));
    if (!canonical(chunk_starts, chunk_lengths, size, before, total)) return false;
    before = chunk_starts[size - 1] + chunk_lengths[size - 1];
    std::transform(chunk_starts, chunk_starts + size, out_starts.end(),
                   [](In start) { return static_cast<Index>(start); });
    std::transform(chunk_lengths, chunk_lengths + size, out_lengths.end(),
                   [](In length) { return static_cast<Index>(length); });
    out_starts.set_size(out_starts.size() + size);
    out_lengths.set_size(out_lengths.size() + size);
  }
  return true;
}

void add_saturated(uint64_t& sum, uint64_t more) {
  sum = more > std::numeric_limits<uint64_t>::max() - sum ? std::numeric_limits<uint64_t>::max()
                                                          : sum + more;
}

// The part of one run inside the image; empty when nothing is.
template <class Index>
Span<Index> clip(int64_t start, int64_t length, int64_t total, ReadReport& report) {
  if (length == 0) {
    ++report.empty;
    return {0, 0};
  }
  const int64_t from = std::max<int64_t>(start, 0);
  int64_t to = from;
  if (length > 0 && start < total) {
    // start + length cannot wrap: below zero it shrinks, and otherwise it is compared first
    to = start < 0 ? std::min(start + length, total)
                   : (length > total - start ? total : start + length);
  }
  const int64_t kept = to > from ? to - from : 0;
  if (kept < length) add_saturated(report.clipped_pixels, static_cast<uint64_t>(length - kept));
  report.dropped += kept == 0;
  report.clipped += kept > 0 && kept < length;
  return {static_cast<Index>(kept > 0 ? from : 0), static_cast<Index>(kept > 0 ? to : 0)};
}

// Copies, judges and collects all runs that are not empty.
template <class In, class Index>
Result collect(const In* starts, const In* lengths, size_t count, Index total, Policy policy,
               Array<Span<Index>>& spans, ReadReport& report) {
  int64_t before = std::numeric_limits<int64_t>::min();
  for (size_t i = 0; i < count; ++i) {
    In copy[2];
    std::memcpy(&copy[0], starts + i, sizeof(In));
    std::memcpy(&copy[1], lengths + i, sizeof(In));
    const int64_t start = copy[0];
    const int64_t length = copy[1];
    if (policy == Policy::strict) {
      if (start < 0) return {Status::negative_start, i};
      if (length < 0) return {Status::negative_length, i};
      if (start > total || length > total - start) return {Status::past_end, i};
    }
    report.sorted &= start >= before;
    before = start;
    const Span<Index> span = clip<Index>(start, length, total, report);
    if (span.start < span.stop) spans.append(span);
  }
  return {};
}

// Appends the union of spans in order of their starts.
template <class Index>
void merge(const Array<Span<Index>>& spans, Array<Index>& out_starts, Array<Index>& out_lengths,
           ReadReport& report) {
  if (spans.size() == 0) return;
  Span<Index> open = spans[0];
  for (size_t i = 1; i < spans.size(); ++i) {
    const Span<Index> span = spans[i];
    if (span.start > open.stop) {
      out_starts.append(open.start);
      out_lengths.append(static_cast<Index>(open.stop - open.start));
      open = span;
    } else {
      report.disjoint &= span.start == open.stop;
      open.stop = std::max(open.stop, span.stop);
    }
  }
  out_starts.append(open.start);
  out_lengths.append(static_cast<Index>(open.stop - open.start));
}

// Fills [from, to) of `size` bytes. Short fills store 64 bytes whatever their size: all bytes
// behind are written later.
void fill(uint8_t* out, size_t from, size_t to, size_t size, uint8_t value) {
  if (to - from <= 64 && from + 64 <= size) {
    std::memset(out + from, value, 64);  // of constant size: four stores
  } else {
    std::memset(out + from, value, to - from);
  }
}

// Finds runs that are those one row above: then the pixels can be copied from there.
template <class Index>
class RowRepeats {
 public:
  RowRepeats(Runs<Index> runs, size_t first, size_t last, size_t width)
      : runs_(runs), first_(first), last_(last), width_(width) {
    if (width == 0) try_at_ = SIZE_MAX;
  }

  // How many of the runs from `run` on are alike, if the next `width` pixels end with one of them
  // as those before `at` do; else 0.
  size_t runs_as_above(size_t run, size_t at) {
    if (run < try_at_) return 0;
    if (at - first_ < width_ || last_ - at < width_ || stop(run - 1) != at) return later(run);
    if (count_ == 0) {
      const auto above = static_cast<Index>(at - width_);
      const Index* starts = runs_.starts;
      count_ = run - static_cast<size_t>(std::lower_bound(starts, starts + run, above) - starts);
    }
    const size_t above = run - count_;
    if (above == 0 || stop(above - 1) + width_ != at || run + count_ > runs_.count) {
      return later(run);
    }
    const auto by = static_cast<Index>(width_);
    for (size_t i = 0; i < count_; ++i) {
      if (runs_.starts[run + i] - runs_.starts[above + i] != by ||
          runs_.lengths[run + i] != runs_.lengths[above + i]) {
        return later(run);
      }
    }
    return count_;
  }

 private:
  static constexpr size_t kFew = 8;  // runs; so many are filled in the time of a search

  size_t stop(size_t run) const {
    return static_cast<size_t>(runs_.starts[run] + runs_.lengths[run]);
  }

  // After as many runs as were in vain; rows of fewer are not worth a copy.
  size_t later(size_t run) {
    try_at_ = run + std::max(count_, kFew);
    count_ = 0;
    return 0;
  }

  Runs<Index> runs_;
  size_t first_, last_, width_;
  size_t try_at_ = kFew;
  size_t count_ = 0;  // runs of the row above, while they were alike
};

// Appends the runs of pixels. Masks that are made of tiles have rows like the one above, whose runs
// are copied: comparing the pixels costs less than looking for runs in them.
template <class Index>
class Encoder {
 public:
  Encoder(const uint8_t* pixels, size_t count, size_t width, Array<Index>& starts,
          Array<Index>& lengths)
      : pixels_(pixels),
        count_(count),
        width_(width < kLeastWidth ? count : width),
        starts_(starts),
        lengths_(lengths) {}

  Result run() {
    size_t step = kBlock;
    while (count_ - at_ >= kWordPixels) {
      if (repeats()) {
        if (!repeat()) return {Status::no_memory, 0};
        step = std::min(kBlock, (width_ + kWordPixels - 1) / kWordPixels * kWordPixels);
      } else {  // rows that have been alike soon will be again
        if (!look(std::min(step, count_ - at_) / kWordPixels)) return {Status::no_memory, 0};
        step = kBlock;
      }
    }
    return finish() ? Result{} : Result{Status::no_memory, 0};
  }

 private:
  static constexpr size_t kBlock = 16384;      // pixels; their positions fit 16 bits
  static constexpr size_t kLeastWidth = 1024;  // in shorter rows the kernels are as fast

  // Whether the next `width` pixels, and the one before, are those one row above.
  bool repeats() {
    if (at_ < width_ || count_ - at_ < width_) return false;
    if (std::memcmp(pixels_ + at_, pixels_ + at_ - width_, width_) != 0) return false;
    if (!repeated_) row_ = first_starting_from(at_ - width_);
    return inside_before(row_) == inside_;
  }

  // By the runs, for the pixels may be changed by now.
  bool inside_before(size_t run) const {
    if (run == 0) return false;
    return run > lengths_.size() ||
           static_cast<size_t>(starts_[run - 1] + lengths_[run - 1]) >= at_ - width_;
  }

  bool repeat() {
    const size_t first = row_;
    const size_t more = starts_.size() - first;
    if (!reserve(more, at_ + width_)) return false;
    if (more != 0 && inside_) {  // the run that is open ends where the one above did
      const size_t above = first - 1;
      lengths_.append(static_cast<Index>(starts_[above] + lengths_[above] +
                                         static_cast<Index>(width_) - starts_[starts_.size() - 1]));
    }
    row_ = starts_.size();
    std::transform(starts_.data() + first, starts_.data() + row_, starts_.end(),
                   [by = static_cast<Index>(width_)](Index start) {
                     return static_cast<Index>(start + by);
                   });
    starts_.set_size(row_ + more);
    const size_t closed = more - (more != 0 && inside_);
    std::copy_n(lengths_.data() + first, closed, lengths_.end());
    lengths_.set_size(lengths_.size() + closed);
    at_ += width_;
    repeated_ = true;
    return true;
  }

  size_t first_starting_from(size_t pixel) const {
    return static_cast<size_t>(
        std::lower_bound(starts_.begin(), starts_.end(), static_cast<Index>(pixel)) -
        starts_.begin());
  }

  bool look(size_t words) {
    const bool good = find(pixels_ + at_, words);
    at_ += words * kWordPixels;
    repeated_ = false;
    return good;
  }

  bool finish() {
    uint8_t rest[kWordPixels] = {};  // zeros behind the last pixel close an open run there
    if (at_ < count_) std::memcpy(rest, pixels_ + at_, count_ - at_);
    return find(rest, 1);
  }

  bool find(const uint8_t* pixels, size_t words) {
    const size_t found = kernel_.changes(pixels, words, &inside_, positions_);
    if (!reserve(found / 2 + 1, at_ + words * kWordPixels)) return false;
    append_turns(positions_, found, at_, starts_, lengths_);
    return true;
  }

  // If all pixels are like those seen so far, the arrays grow once.
  bool reserve(size_t more, size_t seen) {
    const auto expected =
        static_cast<size_t>(1.1 * static_cast<double>(starts_.size() + more) *
                            static_cast<double>(count_) / static_cast<double>(seen));
    return starts_.reserve_more(more, expected) && lengths_.reserve_more(more, expected);
  }

  const Kernels& kernel_ = kernels();
  const uint8_t* pixels_;
  size_t count_;
  size_t width_;  // of rows to compare
  Array<Index>& starts_;
  Array<Index>& lengths_;
  size_t at_ = 0;          // the next pixel
  bool inside_ = false;    // whether the one before is set
  bool repeated_ = false;  // whether the last row was like the one above it;
  size_t row_ = 0;         // then its first run
  uint16_t positions_[kBlock + kWordPixels];
};

}  // namespace

template <class In, class Index>
Result read(const In* starts, const In* lengths, size_t count, Index total, Policy policy,
            Array<Index>& out_starts, Array<Index>& out_lengths, ReadReport& report) {
  if (!out_starts.reserve_more(count) || !out_lengths.reserve_more(count)) {
    return {Status::no_memory, 0};
  }
  if (read_canonical(starts, lengths, count, total, out_starts, out_lengths)) return {};

  out_starts.set_size(0);
  out_lengths.set_size(0);
  report.canonical = false;
  Array<Span<Index>> spans;
  if (!spans.reserve_more(count)) return {Status::no_memory, 0};
  const Result result = collect(starts, lengths, count, total, policy, spans, report);
  if (result.status != Status::ok) return result;
  const auto by_start = [](Span<Index> a, Span<Index> b) { return a.start < b.start; };
  if (!std::is_sorted(spans.begin(), spans.end(), by_start)) {
    std::sort(spans.begin(), spans.end(), by_start);
  }
  merge(spans, out_starts, out_lengths, report);
  return {};
}

template <class Index>
bool is_canonical(Runs<Index> runs, Index total) {
  Index before = -1;
  for (size_t at = 0; at < runs.count; at += kReadChunk) {
    const size_t size = std::min(kReadChunk, runs.count - at);
    const Index* starts = runs.starts + at;
    const Index* lengths = runs.lengths + at;
    if (!canonical(starts, lengths, size, before, total)) return false;
    before = starts[size - 1] + lengths[size - 1];
  }
  return true;
}

template <class Index>
Result encode(const uint8_t* pixels, size_t count, Array<Index>& starts, Array<Index>& lengths,
              size_t width) {
  return Encoder<Index>(pixels, count, width, starts, lengths).run();
}

template <class Index>
void decode(Runs<Index> runs, size_t first, size_t last, uint8_t off, uint8_t on, uint8_t* out,
            size_t width) {
  using Cursor = WordCursor<Index>;
  constexpr size_t kDense = Cursor::kPixels / 24;  // runs in a block from which words are faster
  const Kernels& kernel = kernels();
  Cursor cursor(runs, first, last);
  RowRepeats<Index> repeats(runs, first, last, width);
  uint64_t words[Cursor::kWords];
  size_t at = first;
  size_t run = first_run_ending_after(runs, first);
  while (at < last) {
    if (last - at >= Cursor::kPixels && run + kDense < runs.count &&
        static_cast<size_t>(runs.starts[run + kDense]) < at + Cursor::kPixels) {
      cursor.seek(run, at);
      at += cursor.next(kernel, words);
      kernel.bytes_from_words(words, Cursor::kWords, off, on, out + (at - Cursor::kPixels - first));
      run = cursor.run();
      continue;
    }
    if (const size_t more = repeats.runs_as_above(run, at)) {
      std::memcpy(out + (at - first), out + (at - first) - width, width);
      run += more;
      at += width;
      continue;
    }
    const bool any = run < runs.count && static_cast<size_t>(runs.starts[run]) < last;
    const size_t from = any ? std::max(static_cast<size_t>(runs.starts[run]), at) : last;
    if (at < from) fill(out, at - first, from - first, last - first, off);
    at = from;
    if (any) {
      const auto stop = static_cast<size_t>(runs.starts[run] + runs.lengths[run]);
      at = std::min(stop, last);
      fill(out, from - first, at - first, last - first, on);
      ++run;
    }
  }
}

template <class Index>
uint64_t area(Runs<Index> runs) {
  uint64_t sum = 0;
  for (size_t i = 0; i < runs.count; ++i) sum += static_cast<uint64_t>(runs.lengths[i]);
  return sum;
}

template <class Index>
Box bounding_box(Runs<Index> runs, int64_t width) {
  if (runs.count == 0) return {0, 0, 0, 0};
  const int64_t last = int64_t{runs.starts[runs.count - 1]} + runs.lengths[runs.count - 1] - 1;
  Box box = {width, runs.starts[0] / width, 0, last / width + 1};
  int64_t row = box.y0 * width;  // the first pixel of the row that run i starts in
  for (size_t i = 0; i < runs.count; ++i) {
    const int64_t start = runs.starts[i];
    const int64_t stop = start + runs.lengths[i];
    if (start - row >= width) row = start - row < 2 * width ? row + width : start - start % width;
    box.x0 = std::min(box.x0, start - row);
    box.x1 = std::max(box.x1, stop - row);
    if (stop - row > width) {  // goes on in the next row, at its left end
      box.x0 = 0;
      box.x1 = width;
      break;
    }
  }
  return box;
}

template <class Index>
size_t first_run_ending_after(Runs<Index> runs, size_t pixel) {
  size_t low = 0;
  size_t high = runs.count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (static_cast<size_t>(runs.starts[middle] + runs.lengths[middle]) > pixel) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

template Result read(const int32_t*, const int32_t*, size_t, int32_t, Policy, Array<int32_t>&,
                     Array<int32_t>&, ReadReport&);
#define RUNMASK_INSTANTIATE(Index)                                                           \
  template Result read(const int64_t*, const int64_t*, size_t, Index, Policy, Array<Index>&, \
                       Array<Index>&, ReadReport&);                                          \
  template bool is_canonical(Runs<Index>, Index);                                            \
  template Result encode(const uint8_t*, size_t, Array<Index>&, Array<Index>&, size_t);       \
  template void decode(Runs<Index>, size_t, size_t, uint8_t, uint8_t, uint8_t*, size_t);     \
  template uint64_t area(Runs<Index>);                                                       \
  template Box bounding_box(Runs<Index>, int64_t);                                           \
  template size_t first_run_ending_after(Runs<Index>, size_t)
RUNMASK_INSTANTIATE(int32_t);
RUNMASK_INSTANTIATE(int64_t);
#undef RUNMASK_INSTANTIATE

}  // namespace runmask
