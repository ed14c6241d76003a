#include "heatmap.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "array.h"
#include "heatmap_kernels.h"
#include "map_rows.h"
#include "palette.h"
#include "simd.h"
#include "threads.h"

namespace runmask {
namespace {

// Everything about the image but its pixels.
struct Plan {
  const Confidence& map;
  const Window& window;
  Format format;
  Palette palette;
  Scale scale;
  Columns columns;
};

// The rows that one thread makes.
class Painter {
 public:
  Painter(const Plan& plan, Source from, Target to)
      : plan_(plan), blocks_(from, to, plan.window.width, plan.format) {}

  [[nodiscard]] bool allocate() {
    const size_t padded = (plan_.columns.count() + 1 + 31) / 32 * 32;
    for (MapRow& row : rows_) {
      if (!row.values.reserve_more(padded) || !row.missing.reserve_more(padded)) return false;
      std::fill_n(row.values.data(), padded, int16_t{0});
    }
    return mixed_.reserve_more(padded) && pairs_.reserve_more(padded + 16) &&
           indices_.reserve_more(plan_.window.width + 2 * kWordPixels);
  }

  void paint(size_t y) {
    const Between rows = between(plan_.window.top + y, plan_.map.height, plan_.window.whole_height);
    read(rows);
    const MapRow& second = rows.first == rows.second ? *above_ : *below_;
    find_indices(second, rows.weight);
    const bool holes =
        (above_->any_missing && rows.weight != kWeight) || (second.any_missing && rows.weight != 0);
    const size_t width = plan_.window.width;
    if (!holes) {
      colour(y, 0, width);
      return;
    }
    for (size_t x = 0; x < width;) {
      const bool hole = is_hole(x, second, rows.weight);
      size_t end = x + 1;
      while (end < width && is_hole(end, second, rows.weight) == hole) ++end;
      hole ? keep(y, x, end) : colour(y, x, end);
      x = end;
    }
  }

 private:
  // above_ and, where two are needed, below_; rows are asked for from top to bottom.
  void read(const Between& rows) {
    if (below_->y == rows.first) std::swap(above_, below_);
    if (above_->y != rows.first) above_->read(plan_.map, rows.first, plan_.columns, plan_.scale);
    if (rows.second != rows.first && below_->y != rows.second) {
      below_->read(plan_.map, rows.second, plan_.columns, plan_.scale);
    }
  }

  void find_indices(const MapRow& second, uint32_t weight) {
    const HeatKernels& kernel = *kernels().heat;
    const Columns& columns = plan_.columns;
    const size_t count = columns.count();
    int16_t* mixed = weight == 0 ? above_->values.data() : mixed_.data();
    if (weight != 0) {
      kernel.mix(above_->values.data(), second.values.data(), weight, (count + 31) / 32 * 32,
                 mixed);
    }
    if (columns.one_a_pixel()) {  // as indices() has it for a weight of nothing
      uint8_t* indices = indices_.data();
      for (size_t i = 0; i < count; ++i) {
        indices[i] = static_cast<uint8_t>((mixed[i] + (1 << 15)) >> 8);
      }
      return;
    }
    uint32_t* pairs = pairs_.data();
    if (columns.all()) {
      mixed[count] = mixed[count - 1];
      for (size_t i = 0; i < count; ++i) {
        pairs[i] = static_cast<uint16_t>(mixed[i]) | uint32_t{static_cast<uint16_t>(mixed[i + 1])}
                                                         << 16;
      }
    } else {
      std::memcpy(pairs, mixed, count * sizeof *mixed);
    }
    kernel.indices(pairs, columns.places(), columns.weights(),
                   (plan_.window.width + kWordPixels - 1) / kWordPixels, indices_.data());
  }

  bool is_hole(size_t x, const MapRow& second, uint32_t weight) const {
    const Columns& columns = plan_.columns;
    const auto place = static_cast<size_t>(columns.places()[x]) * (columns.all() ? 1 : 2);
    const uint32_t of_next = columns.weights()[x] >> 16;
    const auto missing = [&](const MapRow& row) {
      return row.any_missing && ((of_next != kWeight && row.missing[place]) ||
                                 (of_next != 0 && row.missing[place + 1]));
    };
    return (weight != kWeight && missing(*above_)) || (weight != 0 && missing(second));
  }

  template <class Use>
  void each_block(size_t y, size_t x, size_t end, const Use& use) {
    while (x < end) {
      const size_t at = y * plan_.window.width + x;
      const size_t count = std::min(end - x, blocks_.most(at));
      use(blocks_.read(at, count), blocks_.target(at), x, count);
      blocks_.commit(at, count);
      x += count;
    }
  }

  void colour(size_t y, size_t first, size_t end) {
    each_block(y, first, end, [&](const uint8_t* source, uint8_t* target, size_t x, size_t count) {
      by_words(source, target, count, plan_.format.pixel_bytes(),
               [&](const uint8_t* from, uint8_t* to, size_t word, size_t words) {
                 plan_.palette.paint(from, to, indices_.data() + x + word * kWordPixels, words);
               });
    });
  }

  void keep(size_t y, size_t first, size_t end) {
    if (blocks_.in_place()) return;
    each_block(y, first, end, [&](const uint8_t* from, uint8_t* to, size_t, size_t count) {
      if (from != to) std::memcpy(to, from, count * plan_.format.pixel_bytes());
    });
  }

  const Plan& plan_;
  PixelBlocks blocks_;
  MapRow rows_[2];
  MapRow* above_ = &rows_[0];
  MapRow* below_ = &rows_[1];
  Array<int16_t> mixed_;
  Array<uint32_t> pairs_;
  Array<uint8_t> indices_;
};

}  // namespace

Result find_nan(const Confidence& map, const Window& window, bool* found, size_t* row,
                size_t* column) {
  *found = false;
  Columns columns;
  if (!columns.find(map.width, window.width)) return {Status::no_memory, 0};
  size_t next = 0;
  for (size_t y = 0; y < window.height; ++y) {
    const Between rows = between(window.top + y, map.height, window.whole_height);
    for (const size_t source : {rows.first, rows.second}) {
      if (source < next) continue;
      next = source + 1;
      if (!any_nan(map, source, columns)) continue;
      size_t first = SIZE_MAX;
      each_value(map, source, columns, [&](size_t i, auto value) {
        if (is_nan(value)) first = std::min(first, columns[i]);
      });
      if (first == SIZE_MAX) continue;  // another thread has overwritten it
      *found = true;
      *row = source;
      *column = first;
      return {};
    }
  }
  return {};
}

Result heatmap(const Confidence& map, Source from, Target to, const Window& window, Format format,
               const uint8_t (*colours)[4], int threads) {
  constexpr size_t kLeastPixels = size_t{1} << 18;  // less is not worth a thread
  Plan plan = {map, window, format, Palette(colours, format), Scale(map), {}};
  if (!plan.columns.find(map.width, window.width) || !plan.scale.prepare(map.number)) {
    return {Status::no_memory, 0};
  }
  std::atomic<bool> failed = false;
  in_parallel(window.height, threads, kLeastPixels / window.width + 1,
              [&](size_t first, size_t last) {
                Painter painter(plan, from, to);
                if (!painter.allocate()) {
                  failed = true;
                  return;
                }
                for (size_t y = first; y < last; ++y) painter.paint(y);
              });
  return {failed ? Status::no_memory : Status::ok, 0};
}

}  // namespace runmask
