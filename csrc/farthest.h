// The point of a part of a line that is farthest from the segment between its ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ring_graph.h"

namespace runmask {

class Segment {
 public:
  Segment(Spot from, Spot to)
      : from_(from),
        dx_(to.x - from.x),
        dy_(to.y - from.y),
        square_(static_cast<double>(dx_ * dx_ + dy_ * dy_)) {}

  // The square of the distance.
  double distance(Spot p) const {
    const int64_t x = p.x - from_.x, y = p.y - from_.y;
    const auto along = static_cast<double>(x * dx_ + y * dy_);
    if (along <= 0) return static_cast<double>(x * x + y * y);
    if (along >= square_) {
      const int64_t back_x = x - dx_, back_y = y - dy_;
      return static_cast<double>(back_x * back_x + back_y * back_y);
    }
    const auto across = static_cast<double>(x * dy_ - y * dx_);
    return across * across / square_;
  }

 private:
  Spot from_;
  int64_t dx_, dy_;
  double square_;
};

struct Farthest {
  double distance;  // squared
  size_t place;     // in the line
};

// Answers for any part of one line. A distance from a segment is largest in a corner of the convex
// hull; so hulls of 32 points, of 64, 128 ... are kept, and a question looks at O(log points) of
// them. The hulls of pixel edges have few corners.
//
// Of points that are equally far it takes one near the middle: parts are halved, not peeled.
class FarthestFinder {
 public:
  // The line is numbers of points. Both are kept by reference.
  FarthestFinder(const RingGraph& graph, const std::vector<uint32_t>& line)
      : graph_(graph), line_(line) {}

  // To be called when the line is another. O(points log points).
  void prepare();

  // Of the points [first, last) of the line, at least one.
  Farthest find(const Segment& segment, size_t first, size_t last) const;

 private:
  static constexpr size_t kBlock = 32;

  // Hull n of a level is `corners` [ends[n - 1], ends[n]), places in the line.
  struct Level {
    std::vector<uint32_t> corners;
    std::vector<size_t> ends;
  };

  class Search;
  void add_hull(const std::vector<uint32_t>& places, Level& level);

  const RingGraph& graph_;
  const std::vector<uint32_t>& line_;
  std::vector<Level> levels_;
  std::vector<uint32_t> sides_[2];
};

}  // namespace runmask
