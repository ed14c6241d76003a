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

// row |= row moved by 1 to `by` pixels both ways; `copy` is a row of the same band, for scratch.
void widen(uint64_t* row, uint64_t* copy, size_t words, int64_t by) {
  for (int64_t done = 0; done < by;) {
    // Longer steps would need the pixels that have left the row.
    const auto shift = static_cast<int>(std::min<int64_t>({done + 1, by - done, 63}));
    std::copy(row, row + words, copy);
    const uint64_t* from = copy;
    for (size_t w = 0; w < words; ++w) {
      row[w] = from[w] | from[w] << shift | *(from + w - 1) >> (64 - shift) | from[w] >> shift |
               from[w + 1] << (64 - shift);
    }
    done += shift;
  }
}

template <class Index, class Out>
Result on_bits(Runs<Index> runs, const Job& job, RunWriter<Out>& writer) {
  const auto height = static_cast<size_t>(job.height);
  const auto width = static_cast<size_t>(job.width);
  const auto halo = static_cast<size_t>(job.down(job.count - 1));
  constexpr size_t kLeastRows = 32;
  const size_t rows = std::min(std::max(kLeastRows, 2 * halo), height);  // of the result at once
  Band read, stack, united;
  if (!read.resize(rows + 2 * halo, width) || !stack.resize(rows + 2 * halo, width) ||
      !united.resize(rows + 1, width)) {
    return kNoMemory;
  }
  const size_t stride = read.stride();
  RowReader<Index> reader(runs, height, width, job.inverted);
  size_t known = 0;  // rows of the image read so far
  const auto read_rows = [&](size_t from) {
    for (size_t y = from; y < rows + 2 * halo; ++y, ++known) {
      if (known < height) {
        reader.next(read.row(y));
      } else {
        std::fill_n(read.row(y), read.words(), 0);
      }
    }
  };
  read_rows(halo);
  for (size_t top = 0; top < height; top += rows) {
    if (top > 0) {
      std::copy(read.row(rows), read.row(rows + 2 * halo), read.row(0));
      read_rows(2 * halo);
    }
    std::copy(read.row(0), read.row(rows + 2 * halo), stack.row(0));
    size_t stacked = 1;  // stack.row(y) holds rows y to y + stacked - 1
    for (size_t i = 0; i < job.count; ++i) {
      const auto down = static_cast<size_t>(job.down(i));
      while (stacked < 2 * down + 1) {
        const size_t more = std::min(stacked, 2 * down + 1 - stacked);
        uint64_t* to = stack.row(0);
        const uint64_t* below = to + more * stride;
        const size_t words = (rows + 2 * halo - more) * stride - 1;
        for (size_t w = 0; w < words; ++w) to[w] |= below[w];
        stacked += more;
      }
      for (size_t y = 0; y < rows; ++y) {
        const uint64_t* stretched = stack.row(y + halo - down);
        uint64_t* row = united.row(y);
        if (i == 0) {
          std::copy(stretched, stretched + read.words(), row);
        } else {
          for (size_t w = 0; w < read.words(); ++w) row[w] |= stretched[w];
        }
        widen(row, united.row(rows), read.words(), job.step(i));
      }
    }
    for (size_t y = 0; y < rows && top + y < height; ++y) {
      write_row(united.row(y), width, static_cast<int64_t>((top + y) * width), job.inverted,
                writer);
    }
  }
  return writer.finish();
}

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
      return bits ? on_bits(runs, job, writer) : on_runs(runs, job, writer);
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
