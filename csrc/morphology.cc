#include "morphology.h"

#include <algorithm>
#include <utility>

#include "bands.h"
#include "spans.h"
#include "writer.h"

namespace runmask {
namespace {

// A dilation of the mask or, inverted, of its background: then the result is inverted too, which
// makes it an erosion of the mask.
struct Job {
  int64_t height, width;
  const Reach* element;
  size_t count;
  bool inverted;

  // Reaches beyond the image do as much as those to its edges.
  int64_t across(size_t i) const { return i < count ? std::min(element[i].across, width - 1) : 0; }
  int64_t down(size_t i) const { return std::min(element[i].down, height - 1); }
  // How much wider the first i + 1 rectangles are than the next one.
  int64_t step(size_t i) const { return across(i) - across(i + 1); }
  int64_t pixels() const { return height * width; }
};

constexpr Result kNoMemory = {Status::no_memory, 0};

// ---- on runs ----

template <class Index>
bool load(Runs<Index> runs, const Job& job, Spans& out) {
  if (!out.reserve_more(runs.count + 1)) return false;
  int64_t done = 0;
  for (size_t i = 0; i < runs.count; ++i) {
    const int64_t start = runs.starts[i];
    const int64_t stop = start + runs.lengths[i];
    if (!job.inverted) {
      out.append({start, stop});
    } else if (start > done) {
      out.append({done, start});
    }
    done = stop;
  }
  if (job.inverted && done < job.pixels()) out.append({done, job.pixels()});
  return true;
}

template <class Index>
void write(WidenedSpans spans, const Job& job, RunWriter<Index>& writer) {
  int64_t done = 0;
  writer.expect(spans.size() + 1);
  for (size_t left = spans.size(); left > 0; --left) {
    const Span span = spans.next();
    if (job.inverted) {
      writer.add(done, span.start);
      done = std::max(done, span.stop);
    } else {
      writer.add(span.start, span.stop);
    }
  }
  if (job.inverted) writer.add(done, job.pixels());
}

// The mask moved down by 0 to rows - 1 rows, all united; grows by steps that at most double it.
class Stack {
 public:
  Stack(Spans& mask, const Job& job) : spans_(mask), width_(job.width) {
    limit_ = job.pixels() + job.down(job.count - 1) * width_;  // what lies behind is never read
  }

  [[nodiscard]] bool grow(int64_t rows) {
    while (rows_ < rows) {
      const int64_t more = std::min(rows_, rows - rows_);
      if (!unite(ShiftedSpans(spans_, 0, limit_), ShiftedSpans(spans_, more * width_, limit_),
                 next_)) {
        return false;
      }
      spans_.swap(next_);
      rows_ += more;
    }
    return true;
  }

 private:
  Spans& spans_;
  Spans next_;
  int64_t width_, limit_;
  int64_t rows_ = 1;
};

// Rectangle by rectangle, the narrowest last: what the wider ones gave is widened by the difference
// and united with the mask stretched down by the next one's height.
template <class Index, class Out>
Result on_runs(Runs<Index> runs, const Job& job, RunWriter<Out>& writer) {
  Spans mask, united, next;
  if (!load(runs, job, mask)) return kNoMemory;
  Stack stack(mask, job);
  for (size_t i = 0; i < job.count; ++i) {
    const int64_t down = job.down(i);
    if (!stack.grow(2 * down + 1)) return kNoMemory;
    const ShiftedSpans stretched(mask, -down * job.width, job.pixels());
    if (job.count == 1) {
      write(WidenedSpans(stretched, job.across(0), job.width), job, writer);
      return writer.finish();
    }
    const ShiftedSpans wider(united, 0, job.pixels());
    const int64_t by = i == 0 ? 0 : job.step(i - 1);
    if (!unite(WidenedSpans(wider, by, job.width), stretched, next)) return kNoMemory;
    united.swap(next);
  }
  write(WidenedSpans(ShiftedSpans(united, 0, job.pixels()), job.across(job.count - 1), job.width),
        job, writer);
  return writer.finish();
}

// ---- on bits ----

// The same as on_runs, on a band of rows at a time. To stretch a band it takes the rows above and
// below it too, the halo.
template <class Index>
class OnBits {
 public:
  OnBits(Runs<Index> runs, const Job& job)
      : job_(job),
        height_(static_cast<size_t>(job.height)),
        width_(static_cast<size_t>(job.width)),
        halo_(static_cast<size_t>(job.down(job.count - 1))),
        rows_(std::min(std::max(kLeastRows, 2 * halo_), height_)),
        reader_(runs, height_, width_, job.inverted) {}

  template <class Out>
  Result run(RunWriter<Out>& writer) {
    if (!read_.resize(rows_ + 2 * halo_, width_) || !stack_.resize(rows_ + 2 * halo_, width_) ||
        !united_.resize(rows_ + 1, width_)) {
      return kNoMemory;
    }
    for (size_t top = 0; top < height_; top += rows_) {
      read(top);
      unite();
      for (size_t y = top; y < std::min(top + rows_, height_); ++y) {
        write_row(united_.row(y - top), width_, static_cast<int64_t>(y * width_), job_.inverted,
                  writer);
      }
    }
    return writer.finish();
  }

 private:
  static constexpr size_t kLeastRows = 32;

  // The band from row `top` on, with its halo; outside the image nothing is set.
  void read(size_t top) {
    size_t y = halo_;  // the first band has no rows above it
    if (top > 0) {
      std::copy(read_.row(rows_), read_.row(rows_ + 2 * halo_), read_.row(0));
      y = 2 * halo_;
    }
    for (; y < rows_ + 2 * halo_; ++y) {
      if (top + y < height_ + halo_) {
        reader_.next(read_.row(y));
      } else {
        std::fill_n(read_.row(y), read_.words(), 0);
      }
    }
    std::copy(read_.row(0), read_.row(rows_ + 2 * halo_), stack_.row(0));
    stacked_ = 1;
  }

  void unite() {
    const size_t words = read_.words();
    for (size_t i = 0; i < job_.count; ++i) {
      const auto down = static_cast<size_t>(job_.down(i));
      grow(2 * down + 1);
      for (size_t y = 0; y < rows_; ++y) {
        const uint64_t* stretched = stack_.row(y + halo_ - down);
        uint64_t* row = united_.row(y);
        if (i == 0) {
          std::copy(stretched, stretched + words, row);
        } else {
          for (size_t w = 0; w < words; ++w) row[w] |= stretched[w];
        }
        widen(row, united_.row(rows_), words, job_.step(i));
      }
    }
  }

  // Afterwards each row of the stack is united with the rows - 1 rows below it.
  void grow(size_t rows) {
    while (stacked_ < rows) {
      const size_t more = std::min(stacked_, rows - stacked_);
      uint64_t* to = stack_.row(0);
      const uint64_t* below = stack_.row(more);
      const size_t words = (rows_ + 2 * halo_ - more) * stack_.stride() - 1;
      for (size_t w = 0; w < words; ++w) to[w] |= below[w];
      stacked_ += more;
    }
  }

  const Job& job_;
  size_t height_, width_, halo_, rows_;
  RowReader<Index> reader_;
  Band read_, stack_;
  Band united_;  // and one row for scratch
  size_t stacked_ = 1;
};

// Measured: a word of a row takes about as long as an eighth of a run.
bool dense(size_t runs, const Job& job) {
  const int64_t words = (job.width + 63) / 64 * job.height;
  return static_cast<int64_t>(runs) > words / 8;
}

Result run(const AnyRuns& any, const Job& job, Route route, AnyArrays& out) {
  if (job.height == 0 || job.width == 0) return {};
  const bool bits = route == Route::automatic ? dense(any.count, job) : route == Route::bits;
  return with_arrays(out, [&](auto& starts, auto& lengths) {
    RunWriter writer(starts, lengths);
    return with_runs(any, [&](auto runs) {
      return bits ? OnBits(runs, job).run(writer) : on_runs(runs, job, writer);
    });
  });
}

}  // namespace

Result dilate(const AnyRuns& runs, int64_t height, int64_t width, const Reach* element,
              size_t count, Route route, AnyArrays& out) {
  return run(runs, {height, width, element, count, false}, route, out);
}

Result erode(const AnyRuns& runs, int64_t height, int64_t width, const Reach* element, size_t count,
             Route route, AnyArrays& out) {
  return run(runs, {height, width, element, count, true}, route, out);
}

}  // namespace runmask
