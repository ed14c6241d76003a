// What lies between a line and the segment that is to replace it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vertex_grid.h"

namespace runmask {

// The line and the segment back to its start are a closed curve. No line that does not cross the
// first part can cross the segment unless an end of it lies where the curve winds around it, or on
// the segment: so it is enough to ask for points.
class SweptArea {
 public:
  // The line is kept by reference, and has four points or more. O(points).
  void set(const std::vector<Spot>& line);

  // Whether a point, none of the line's, is inside. It may say so of one that is not, when lines
  // lie in so many layers that to ask for all its points would not be O(points): then it is better
  // to replace shorter parts.
  bool contains(Spot p);

  // The box that holds it, ends inclusive.
  Spot low() const { return low_corner_; }
  Spot high() const { return high_corner_; }

 private:
  struct Edge {
    Spot from, to;
  };

  int64_t along(Spot p) const { return level_ ? p.x : p.y; }
  size_t bucket_of(int64_t place) const { return static_cast<size_t>((place - low_) / step_); }

  Spot from_{}, to_{}, low_corner_{}, high_corner_{};
  bool level_ = false;  // whether it is longer in x
  int64_t low_ = 0, step_ = 1;
  bool layered_ = false;
  size_t tests_left_ = 0;
  std::vector<size_t> ends_;  // of the buckets, by their place along the segment
  std::vector<Edge> edges_;   // that reach into each
};

}  // namespace runmask
