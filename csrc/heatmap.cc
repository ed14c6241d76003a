#include "heatmap.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <type_traits>

#include "array.h"
#include "heatmap_kernels.h"
#include "palette.h"
#include "simd.h"
#include "threads.h"

namespace runmask {
namespace {

// Between which two of `in` values one of `out` lies, centres of the outermost half a step from the
// edges; the weight of the second, of kWeight.
struct Between {
  size_t first, second;
  uint32_t weight;
};

Between between(size_t at, size_t in, size_t out) {
  const auto size = static_cast<int64_t>(out);
  const int64_t twice = static_cast<int64_t>(2 * at + 1) * static_cast<int64_t>(in) - size;
  if (twice <= 0) return {0, 0, 0};
  const auto first = static_cast<size_t>(twice / (2 * size));
  if (first + 1 >= in) return {in - 1, in - 1, 0};
  const int64_t rest = twice % (2 * size);
  return {first, first + 1, static_cast<uint32_t>((rest * kWeight + size) / (2 * size))};
}

float widened(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t exponent = half >> 10 & 31;
  const uint32_t fraction = half & 1023u;
  if (exponent == 0) {  // a multiple of 2**-24
    const float value = static_cast<float>(fraction) / 16777216.0f;
    return sign != 0 ? -value : value;
  }
  const uint32_t high = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | high << 23 | fraction << 13);
}

struct Half {
  uint16_t bits;
};
struct Truth {
  uint8_t byte;
};
double value_of(Truth value) { return value.byte != 0; }
double value_of(Half value) { return static_cast<double>(widened(value.bits)); }
double value_of(float value) { return static_cast<double>(value); }
double value_of(double value) { return value; }
double value_of(uint8_t value) { return value / 255.0; }

bool is_nan(Truth) { return false; }
bool is_nan(uint8_t) { return false; }
bool is_nan(Half value) { return (value.bits & 0x7FFF) > 0x7C00; }
bool is_nan(float value) { return value != value; }
bool is_nan(double value) { return value != value; }

// The columns of a map that an image of some width needs: all, or the two of each of its pixels.
class Columns {
 public:
  [[nodiscard]] bool find(size_t in, size_t out) {
    all_ = in <= out;
    one_a_pixel_ = in == out;
    count_ = all_ ? in : 2 * out;
    const size_t padded = (out + kWordPixels - 1) / kWordPixels * kWordPixels;
    if (!places_.reserve_more(padded) || !weights_.reserve_more(padded)) return false;
    if (!all_ && !chosen_.reserve_more(count_)) return false;
    for (size_t x = 0; x < padded; ++x) {
      const Between at = between(std::min(x, out - 1), in, out);
      places_.append(static_cast<int32_t>(all_ ? at.first : std::min(x, out - 1)));
      weights_.append((kWeight - at.weight) | at.weight << 16);
      if (!all_ && x < out) {
        chosen_.append(static_cast<int32_t>(at.first));
        chosen_.append(static_cast<int32_t>(at.second));
      }
    }
    return true;
  }

  size_t count() const { return count_; }
  bool all() const { return all_; }
  bool one_a_pixel() const { return one_a_pixel_; }
  size_t operator[](size_t i) const { return all_ ? i : static_cast<size_t>(chosen_[i]); }
  // Of each pixel: its first column's place, and the weights of the two.
  const int32_t* places() const { return places_.data(); }
  const uint32_t* weights() const { return weights_.data(); }

 private:
  bool all_ = true, one_a_pixel_ = false;
  size_t count_ = 0;
  Array<int32_t> places_, chosen_;
  Array<uint32_t> weights_;
};

// Calls use(i, value) for each needed column of a row, with values of the map's own type.
template <class T, class Use>
void each_value(const Confidence& map, size_t y, const Columns& columns, const Use& use) {
  const uint8_t* row = map.values + static_cast<ptrdiff_t>(y) * map.row;
  for (size_t i = 0; i < columns.count(); ++i) {
    T value;
    std::memcpy(&value, row + static_cast<ptrdiff_t>(columns[i]) * map.column, sizeof value);
    use(i, value);
  }
}
template <class Use>
void each_value(const Confidence& map, size_t y, const Columns& columns, const Use& use) {
  switch (map.number) {
    case Number::boolean:
      return each_value<Truth>(map, y, columns, use);
    case Number::uint8:
      return each_value<uint8_t>(map, y, columns, use);
    case Number::float16:
      return each_value<Half>(map, y, columns, use);
    case Number::float32:
      return each_value<float>(map, y, columns, use);
    case Number::float64:
      return each_value<double>(map, y, columns, use);
  }
}

// The row, if kernels can read it as it lies.
const uint8_t* touching_floats(const Confidence& map, size_t y, const Columns& columns) {
  const bool touching = map.column == sizeof(float) && columns.all();
  if (map.number != Number::float32 || !touching) return nullptr;
  return map.values + static_cast<ptrdiff_t>(y) * map.row;
}

bool any_nan(const Confidence& map, size_t y, const Columns& columns) {
  if (map.number == Number::boolean || map.number == Number::uint8) return false;
  if (const uint8_t* floats = touching_floats(map, y, columns)) {
    return kernels().heat->any_nan(floats, columns.count());
  }
  bool found = false;
  each_value(map, y, columns, [&](size_t, auto value) { found |= is_nan(value); });
  return found;
}

// Confidences as kernels take them: for types of few values looked up, for others worked out.
class Scale {
 public:
  explicit Scale(const Confidence& map) : low_(map.low), scale_(2 * kHalf / map.span) {}

  [[nodiscard]] bool prepare(Number number) {
    if (number == Number::boolean) return list<Truth>();
    if (number == Number::uint8) return list<uint8_t>();
    if (number == Number::float16) return list<Half>();
    return true;
  }

  template <class T>
  int16_t operator()(T value) const {
    if constexpr (sizeof value <= 2) {
      return known_[std::bit_cast<Bits<T>>(value)];
    } else {
      return confidence_of(value_of(value), low_, scale_);
    }
  }
  void of_floats(const uint8_t* values, size_t count, int16_t* out) const {
    kernels().heat->confidences(values, count, low_, scale_, out);
  }

 private:
  template <class T>
  using Bits = std::conditional_t<sizeof(T) == 1, uint8_t, uint16_t>;

  template <class T>
  bool list() {
    constexpr size_t kCount = size_t{1} << (8 * sizeof(T));
    if (!known_.reserve_more(kCount)) return false;
    for (size_t bits = 0; bits < kCount; ++bits) {
      const T value = std::bit_cast<T>(static_cast<Bits<T>>(bits));
      known_.append(confidence_of(value_of(value), low_, scale_));
    }
    return true;
  }

  double low_, scale_;
  Array<int16_t> known_;
};

// One row of the map as the kernels take it.
struct MapRow {
  size_t y = SIZE_MAX;
  Array<int16_t> values;
  Array<uint8_t> missing;  // where any is: 1 for NaN
  bool any_missing = false;

  void read(const Confidence& map, size_t row, const Columns& columns, const Scale& scale) {
    y = row;
    if (const uint8_t* floats = touching_floats(map, row, columns)) {
      scale.of_floats(floats, columns.count(), values.data());
    } else {
      each_value(map, row, columns, [&](size_t i, auto value) { values[i] = scale(value); });
    }
    any_missing = any_nan(map, row, columns);
    if (!any_missing) return;
    each_value(map, row, columns, [&](size_t i, auto value) { missing[i] = is_nan(value); });
  }
};

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
