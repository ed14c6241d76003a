// Maps of confidences as the kernels of heatmaps take them, row by row; inside heatmap.cc only.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "array.h"
#include "heatmap.h"
#include "heatmap_kernels.h"
#include "simd.h"

namespace runmask {

// Between which two of `in` values one of `out` lies, centres of the outermost half a step from the
// edges; the weight of the second, of kWeight.
struct Between {
  size_t first, second;
  uint32_t weight;
};

inline Between between(size_t at, size_t in, size_t out) {
  const auto size = static_cast<int64_t>(out);
  const int64_t twice = static_cast<int64_t>(2 * at + 1) * static_cast<int64_t>(in) - size;
  if (twice <= 0) return {0, 0, 0};
  const auto first = static_cast<size_t>(twice / (2 * size));
  if (first + 1 >= in) return {in - 1, in - 1, 0};
  const int64_t rest = twice % (2 * size);
  return {first, first + 1, static_cast<uint32_t>((rest * kWeight + size) / (2 * size))};
}

inline float widened(uint16_t half) {
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
inline double value_of(Truth value) { return value.byte != 0; }
inline double value_of(Half value) { return static_cast<double>(widened(value.bits)); }
inline double value_of(float value) { return static_cast<double>(value); }
inline double value_of(double value) { return value; }
inline double value_of(uint8_t value) { return value / 255.0; }

inline bool is_nan(Truth) { return false; }
inline bool is_nan(uint8_t) { return false; }
inline bool is_nan(Half value) { return (value.bits & 0x7FFF) > 0x7C00; }
inline bool is_nan(float value) { return value != value; }
inline bool is_nan(double value) { return value != value; }

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

// The row, if kernels can read it as it lies, and which of them can.
struct FloatRow {
  const uint8_t* values;
  size_t kernel;
};
inline FloatRow touching_floats(const Confidence& map, size_t y, const Columns& columns) {
  const bool wide = map.number == Number::float64;
  const bool touching = map.column == (wide ? 8 : 4) && columns.all();
  if (!touching || (!wide && map.number != Number::float32)) return {nullptr, 0};
  return {map.values + static_cast<ptrdiff_t>(y) * map.row, wide};
}

inline bool any_nan(const Confidence& map, size_t y, const Columns& columns) {
  if (map.number == Number::boolean || map.number == Number::uint8) return false;
  const FloatRow floats = touching_floats(map, y, columns);
  if (floats.values != nullptr) {
    return kernels().heat->any_nan[floats.kernel](floats.values, columns.count());
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
  void of_floats(FloatRow row, size_t count, int16_t* out) const {
    kernels().heat->confidences[row.kernel](row.values, count, low_, scale_, out);
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
    const FloatRow floats = touching_floats(map, row, columns);
    if (floats.values != nullptr) {
      scale.of_floats(floats, columns.count(), values.data());
    } else {
      each_value(map, row, columns, [&](size_t i, auto value) { values[i] = scale(value); });
    }
    any_missing = any_nan(map, row, columns);
    if (!any_missing) return;
    each_value(map, row, columns, [&](size_t i, auto value) { missing[i] = is_nan(value); });
  }
};

}  // namespace runmask
