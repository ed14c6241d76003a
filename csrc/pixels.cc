#include "pixels.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "simd.h"
#include "threads.h"
#include "turns.h"
#include "words.h"

namespace runmask {
namespace {

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
    std::transform(
        starts_.data() + first, starts_.data() + row_, starts_.end(),
        [by = static_cast<Index>(width_)](Index start) { return static_cast<Index>(start + by); });
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

// ---- threads ----

constexpr size_t kLeastPixels = size_t{1} << 19;  // less is not worth a thread

// Appends runs of pixels that begin `shift` pixels later; a run that goes on there stays one.
template <class Index>
bool append(const Array<Index>& starts, const Array<Index>& lengths, size_t shift,
            Array<Index>& out_starts, Array<Index>& out_lengths) {
  const auto by = static_cast<Index>(shift);
  const size_t count = starts.size();
  const size_t last = out_starts.size() - 1;
  const bool joins = count != 0 && starts[0] == 0 && out_starts.size() != 0 &&
                     out_starts[last] + out_lengths[last] == by;
  if (joins) out_lengths[last] = static_cast<Index>(out_lengths[last] + lengths[0]);
  if (!out_starts.reserve_more(count) || !out_lengths.reserve_more(count)) return false;
  std::transform(starts.begin() + joins, starts.end(), out_starts.end(),
                 [by](Index start) { return static_cast<Index>(start + by); });
  std::copy(lengths.begin() + joins, lengths.end(), out_lengths.end());
  out_starts.set_size(out_starts.size() + count - joins);
  out_lengths.set_size(out_lengths.size() + count - joins);
  return true;
}

struct Part {
  size_t first, last;  // rows
  AnyArrays runs;
  Result result;
};

}  // namespace

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

#define RUNMASK_INSTANTIATE(Index)                                                      \
  template Result encode(const uint8_t*, size_t, Array<Index>&, Array<Index>&, size_t); \
  template void decode(Runs<Index>, size_t, size_t, uint8_t, uint8_t, uint8_t*, size_t)
RUNMASK_INSTANTIATE(int32_t);
RUNMASK_INSTANTIATE(int64_t);
#undef RUNMASK_INSTANTIATE

Result encode(const uint8_t* pixels, size_t height, size_t width, int threads, AnyArrays& out) {
  const size_t wanted = std::min(static_cast<size_t>(std::max(threads, 1)), height);
  const size_t count = std::min(wanted, height * width / kLeastPixels);
  if (count < 2) return encode(pixels, height * width, out, width);
  const std::unique_ptr<Part[]> parts(new (std::nothrow) Part[count]);
  if (parts == nullptr) return {Status::no_memory, 0};
  in_parallel(count, threads, 1, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      Part& part = parts[i];
      part.runs.wide = out.wide;
      part.first = height / count * i + std::min(i, height % count);
      part.last = height / count * (i + 1) + std::min(i + 1, height % count);
      part.result = encode(pixels + part.first * width, (part.last - part.first) * width,
                           i == 0 ? out : part.runs, width);
    }
  });
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].result.status != Status::ok) return parts[i].result;
  }
  return with_arrays(out, [&]<class Index>(Array<Index>& starts, Array<Index>& lengths) {
    bool good = true;
    for (size_t i = 1; good && i < count; ++i) {
      AnyArrays& more = parts[i].runs;
      good = append(more.starts<Index>(), more.lengths<Index>(), parts[i].first * width, starts,
                    lengths);
    }
    return good ? Result{} : Result{Status::no_memory, 0};
  });
}

void decode(const AnyRuns& any, size_t width, size_t first, size_t last, uint8_t off, uint8_t on,
            int threads, uint8_t* out) {
  with_runs(any, [&](auto runs) {
    in_parallel(last - first, threads, kLeastPixels, [&](size_t from, size_t to) {
      decode(runs, first + from, first + to, off, on, out + from, width);
    });
  });
}

}  // namespace runmask
