#include "resize.h"

#include <algorithm>
#include <cstring>

#include "array.h"
#include "rows.h"
#include "runs.h"
#include "simd.h"
#include "turns.h"
#include "writer.h"

namespace runmask {
namespace {

// One side of the image: `from` pixels become `to`.
struct Axis {
  int64_t from, to;

  // The pixel that pixel `p` of the result looks at.
  int64_t source(int64_t p) const { return (2 * p + 1) * from / (2 * to); }

  // The first pixel of the result that looks at pixel `p` of the mask, or behind it.
  int64_t moved(int64_t p) const {
    const auto unit = static_cast<uint64_t>(from);  // up to 2^31: the sums stay below 2^64
    const auto numerator = 2 * static_cast<uint64_t>(to) * static_cast<uint64_t>(p) + unit - 1;
    return static_cast<int64_t>(numerator / (2 * unit));
  }
};

// What one row of the mask becomes.
template <class Index>
struct Row {
  Array<Index> starts, lengths;

  bool clear(size_t runs) {
    starts.set_size(0);
    lengths.set_size(0);
    return starts.reserve_more(runs) && lengths.reserve_more(runs);
  }
};

template <class In, class Out>
class Resizer {
 public:
  Resizer(Runs<In> runs, Size size, Size to, ResizeRoute route, RunWriter<Out>& out)
      : runs_(runs),
        rows_{size.height, to.height},
        columns_{size.width, to.width},
        route_(route),
        out_(out) {}

  bool run() {
    // A division for each end of a run is worth saving unless there are few of them.
    const auto width = static_cast<size_t>(columns_.from);
    if (columns_.from != columns_.to && width / 4 < runs_.count && !make_moved()) return false;
    // At most, unless runs are full rows: no room for what may never be is asked for.
    const double cut = static_cast<double>(std::min(runs_.count, static_cast<size_t>(rows_.from)));
    const double most = (static_cast<double>(runs_.count) + cut) * static_cast<double>(rows_.to) /
                        static_cast<double>(std::max<int64_t>(rows_.from, 1));
    out_.expect(std::min(static_cast<size_t>(most), size_t{1} << 26));
    RowCursor<In> cursor(runs_, columns_.from);
    RowBand band;
    while (cursor.next(band)) {
      const int64_t y0 = rows_.moved(band.y);
      const int64_t y1 = rows_.moved(band.y + band.count);
      if (y0 < y1 && !add(band, y0, y1)) return false;
    }
    return true;
  }

 private:
  // Below this, a row is decoded, sampled and encoded sooner than its runs are moved: measured.
  static constexpr size_t kDensePixels = 16;

  bool make_moved() {
    const auto ends = static_cast<size_t>(columns_.from) + 1;
    if (!moved_.reserve_more(ends)) return false;
    for (size_t x = 0; x < ends; ++x) {
      moved_.append(static_cast<int32_t>(columns_.moved(static_cast<int64_t>(x))));
    }
    return true;
  }

  int64_t moved(int64_t x) const {
    return moved_.size() != 0 ? moved_[static_cast<size_t>(x)] : columns_.moved(x);
  }

  // Adds a band of rows as rows [y0, y1) of the result.
  bool add(const RowBand& band, int64_t y0, int64_t y1) {
    const int64_t row = band.y * columns_.from;
    const int64_t width = columns_.to;
    if (band.last - band.first == 1) {  // the same for the whole band, which may be full
      const int64_t end = row + columns_.from;
      const int64_t start = moved(std::max(start_of(runs_, band.first), row) - row);
      const int64_t stop = moved(std::min(stop_of(runs_, band.first), end) - row);
      if (stop - start == width) {
        out_.add(y0 * width, y1 * width);
      } else {
        for (int64_t y = y0; y < y1; ++y) out_.add(y * width + start, y * width + stop);
      }
      return true;
    }
    if (columns_.from == width) {
      for (int64_t y = y0; y < y1; ++y) {
        add_pieces(out_, runs_, band.first, band.last, row, row + width, y * width - row);
      }
      return !out_.failed();
    }
    const size_t runs = band.last - band.first;
    if (by_pixels(runs)) {
      if (!row_.clear(static_cast<size_t>(width) / 2 + 1) || !sample(band, row)) return false;
    } else {
      if (!row_.clear(runs)) return false;
      move(band, row);
    }
    for (int64_t y = y0; y < y1; ++y) {
      out_.add_all(row_.starts.data(), row_.lengths.data(), row_.starts.size(), y * width);
    }
    return !out_.failed();
  }

  bool by_pixels(size_t runs) const {
    if (route_ != ResizeRoute::measured) return route_ == ResizeRoute::pixels;
    return columns_.to < columns_.from &&
           runs > static_cast<size_t>(columns_.from + 2 * columns_.to) / kDensePixels;
  }

  // Runs that fall between the samples vanish, and those with no sample between them join.
  void move(const RowBand& band, int64_t row) {
    const int64_t end = row + columns_.from;
    Out* starts = row_.starts.data();
    Out* lengths = row_.lengths.data();
    size_t count = 0;
    int64_t open = -1;  // where the last run stops
    for (size_t i = band.first; i < band.last; ++i) {
      const int64_t start = moved(std::max(start_of(runs_, i), row) - row);
      const int64_t stop = moved(std::min(stop_of(runs_, i), end) - row);
      if (start == stop) continue;
      if (start == open) {
        lengths[count - 1] = static_cast<Out>(lengths[count - 1] + (stop - start));
      } else {
        starts[count] = static_cast<Out>(start);
        lengths[count++] = static_cast<Out>(stop - start);
      }
      open = stop;
    }
    row_.starts.set_size(count);
    row_.lengths.set_size(count);
  }

  bool sample(const RowBand& band, int64_t row) {
    constexpr size_t kBlock = 16384;
    const auto from = static_cast<size_t>(columns_.from);
    const auto to = static_cast<size_t>(columns_.to);
    if (sources_.size() == 0 && !make_sources()) return false;
    const Runs<In> runs = {runs_.starts + band.first, runs_.lengths + band.first,
                           band.last - band.first};
    const auto first = static_cast<size_t>(row);
    decode(runs, first, first + from, 0, 1, pixels_.data());
    uint8_t samples[kBlock];
    uint16_t turns[kBlock + kWordPixels];
    bool inside = false;
    for (size_t at = 0; at < to; at += kBlock) {
      const size_t size = std::min(kBlock, to - at);
      const size_t padded = (size + kWordPixels - 1) / kWordPixels * kWordPixels;
      const int32_t* source = sources_.data() + at;
      for (size_t x = 0; x < size; ++x) samples[x] = pixels_[static_cast<size_t>(source[x])];
      std::memset(samples + size, 0, padded - size);
      const size_t found = kernels().changes(samples, padded / kWordPixels, &inside, turns);
      append_turns(turns, found, at, row_.starts, row_.lengths);
    }
    if (inside) row_.lengths.append(static_cast<Out>(to) - row_.starts[row_.starts.size() - 1]);
    return true;
  }

  bool make_sources() {
    const auto to = static_cast<size_t>(columns_.to);
    if (!pixels_.reserve_more(static_cast<size_t>(columns_.from)) || !sources_.reserve_more(to)) {
      return false;
    }
    for (size_t x = 0; x < to; ++x) {
      sources_.append(static_cast<int32_t>(columns_.source(static_cast<int64_t>(x))));
    }
    return true;
  }

  Runs<In> runs_;
  Axis rows_, columns_;
  ResizeRoute route_;
  RunWriter<Out>& out_;
  Array<int32_t> moved_;    // columns_.moved(x) of every x, if it pays
  Array<int32_t> sources_;  // columns_.source(x)
  Array<uint8_t> pixels_;   // of one row
  Row<Out> row_;
};

}  // namespace

Result resize(const AnyRuns& runs, Size size, Size to, AnyArrays& out, ResizeRoute route) {
  bool complete = true;
  const Result result = write_runs(out, [&](auto& writer) {
    if (to.height == 0 || to.width == 0) return;
    with_runs(runs, [&](auto in) { complete = Resizer(in, size, to, route, writer).run(); });
  });
  return complete ? result : Result{Status::no_memory, 0};
}

}  // namespace runmask
