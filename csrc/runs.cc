#include "runs.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

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
  template uint64_t area(Runs<Index>);                                                       \
  template Box bounding_box(Runs<Index>, int64_t);                                           \
  template size_t first_run_ending_after(Runs<Index>, size_t)
RUNMASK_INSTANTIATE(int32_t);
RUNMASK_INSTANTIATE(int64_t);
#undef RUNMASK_INSTANTIATE

}  // namespace runmask
