#include "rings.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "crossings.h"

namespace runmask {
namespace {

class Measurer {
 public:
  explicit Measurer(const int32_t* first) : first_{first[0], first[1]} {
    std::copy_n(first, 2, low_);
    std::copy_n(first, 2, high_);
  }

  void add_edge(const int32_t* from, const int32_t* to) {
    for (const int axis : {0, 1}) {
      low_[axis] = std::min(low_[axis], to[axis]);
      high_[axis] = std::max(high_[axis], to[axis]);
    }
    const Point a = {from[0] - first_.x, from[1] - first_.y};
    const Point b = {to[0] - first_.x, to[1] - first_.y};
    const int64_t dx = b.x - a.x, dy = b.y - a.y;
    const Wide area = Wide{a.x} * b.y - Wide{b.x} * a.y;
    area_ += area;
    area_moments_[0] += Wide{a.x + b.x} * area;
    area_moments_[1] += Wide{a.y + b.y} * area;
    double length = 0;
    if (dx == 0 || dy == 0) {
      straight_ += std::abs(dx) + std::abs(dy);  // sums of whole numbers are not rounded
      length = static_cast<double>(std::abs(dx) + std::abs(dy));
    } else {
      length = std::sqrt(static_cast<double>(dx) * static_cast<double>(dx) +
                         static_cast<double>(dy) * static_cast<double>(dy));
      slanted_ += length;
    }
    line_moments_[0] += length * static_cast<double>(a.x + b.x);
    line_moments_[1] += length * static_cast<double>(a.y + b.y);
  }

  // Of ring i; false if the area does not fit.
  bool write(const RingMeasures& out, size_t i) const {
    if (area_ != static_cast<int64_t>(area_)) return false;
    out.twice_areas[i] = static_cast<int64_t>(area_);
    const double perimeter = static_cast<double>(straight_) + slanted_;
    out.perimeters[i] = perimeter;
    std::copy_n(low_, 2, out.boxes + 4 * i);
    std::copy_n(high_, 2, out.boxes + 4 * i + 2);
    for (const int axis : {0, 1}) {
      double offset = 0;
      if (area_ != 0) {
        offset = static_cast<double>(area_moments_[axis]) / (3 * static_cast<double>(area_));
      } else if (perimeter > 0) {
        offset = line_moments_[axis] / (2 * perimeter);
      }
      out.centroids[2 * i + static_cast<size_t>(axis)] =
          static_cast<double>(axis == 0 ? first_.x : first_.y) + offset;
    }
    return true;
  }

 private:
  Point first_;  // coordinates are counted from here
  int32_t low_[2], high_[2];
  Wide area_ = 0;  // twice, as its moments are six times
  Wide area_moments_[2] = {0, 0};
  int64_t straight_ = 0;
  double slanted_ = 0;
  double line_moments_[2] = {0, 0};
};

}  // namespace

Result measure_rings(const FlatRings& rings, const RingMeasures& out) {
  for (size_t ring = 0; ring < rings.count; ++ring) {
    const int32_t* first = rings.points + 2 * rings.offsets[ring];
    const int32_t* end = rings.points + 2 * rings.offsets[ring + 1];
    Measurer measurer(first);
    const int32_t* from = end - 2;
    for (const int32_t* to = first; to < end; to += 2) {
      measurer.add_edge(from, to);
      from = to;
    }
    if (!measurer.write(out, ring)) return {Status::bad_point, ring};
  }
  return {};
}

}  // namespace runmask
