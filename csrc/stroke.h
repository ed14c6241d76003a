// Which samples lie near a segment: what a line of some width covers, row by row.
//
// Lengths are in half samples, in which points are whole numbers, all even or all odd, and samples
// lie on the odd ones: sample k at 2k + 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "array.h"

namespace runmask {

struct Segment {
  int64_t px, py, qx, qy;
};

// Whole numbers from first to last, both included; none if last < first.
struct Section {
  int64_t first, last;

  Section within(Section other) const {
    return {std::max(first, other.first), std::min(last, other.last)};
  }
  bool has(int64_t number) const { return first <= number && number <= last; }
};

// The samples of a row that are closer than the reach of a line, and those that are not farther.
struct Covered {
  Section closer, not_farther;
};

// The part of a line beside a segment that is neither upright nor level, between its two ends.
class Slanted {
 public:
  Slanted(const Segment& segment, double reach)
      : px_(static_cast<double>(segment.px)),
        py_(static_cast<double>(segment.py)),
        dx_(static_cast<double>(segment.qx - segment.px)),
        dy_(static_cast<double>(segment.qy - segment.py)),
        square_(dx_ * dx_ + dy_ * dy_),
        reach_(reach),
        half_(std::abs(reach * std::sqrt(square_) / dy_)) {}

  Section rows() const {
    const double beside = std::abs(reach_ * dx_) / std::sqrt(square_);
    return between(py_ + std::min(dy_, 0.0) - beside, py_ + std::max(dy_, 0.0) + beside);
  }

  Covered covered(int64_t row) const {
    const double below = static_cast<double>(2 * row + 1) - py_;
    const double middle = px_ + below * (dx_ / dy_);
    const double one = px_ - below * (dy_ / dx_), other = one + square_ / dx_;
    const double left = std::max(middle - half_, std::min(one, other));
    const double right = std::min(middle + half_, std::max(one, other));
    const Section all = between(left, right);
    Covered result = {all, all};
    // Where the edge goes through a sample, but for rounding, the exact distance decides.
    const auto judge = [&](int64_t column, bool doubtful, int64_t inward, int64_t Section::* end) {
      if (!doubtful || all.last < all.first) return;
      const int order = compare(static_cast<double>(2 * column + 1) - px_, below);
      if (order >= 0) result.closer.*end += inward;
      if (order > 0) result.not_farther.*end += inward;
    };
    judge(all.first, static_cast<double>(all.first) - (left - 1) / 2 < kRounding, 1,
          &Section::first);
    judge(all.last, (right - 1) / 2 - static_cast<double>(all.last) < kRounding, -1,
          &Section::last);
    return result;
  }

 private:
  static constexpr double kRounding = 0x1p-20;  // of a sample, more than that of a computed end

  // The samples between two places, rather one more.
  static Section between(double low, double high) {
    return {static_cast<int64_t>(std::ceil((low - 1) / 2 - kRounding)),
            static_cast<int64_t>(std::floor((high - 1) / 2 + kRounding))};
  }

  // How far (x, y) from the first point is from the segment: 1 farther than the reach, 0 just so.
  int compare(double x, double y) const {
    const double along = x * dx_ + y * dy_, across = x * dy_ - y * dx_;
    const bool beside = along > 0 && along < square_;
    const double to_other = (x - dx_) * (x - dx_) + (y - dy_) * (y - dy_);
    const double apart = beside ? across * across : std::min(x * x + y * y, to_other);
    const double limit = beside ? reach_ * reach_ * square_ : reach_ * reach_;
    return (apart > limit) - (apart < limit);
  }

  double px_, py_, dx_, dy_, square_, reach_;
  double half_;  // of a row that lies beside the segment
};

// A line along rings, which comes to both sides of them as far as its reach.
class Stroke {
 public:
  // Whether points are odd numbers.
  Stroke(double reach, bool odd) : reach_(reach), even_(odd ? 0 : 1), beside_{-1, -1} {}

  // Finds the rows of a disc; false if there is no memory.
  [[nodiscard]] bool prepare() {
    const auto rows = static_cast<int64_t>(reach_ / 2) + 1;
    if (!disc_.reserve_more(static_cast<size_t>(rows))) return false;
    for (int64_t row = 0; row < rows; ++row) disc_.append({last(row, false), last(row, true)});
    const auto most = [&](const auto& is_near) {
      int64_t number = rows;
      while (number >= 0 && !is_near(offset(number))) --number;
      return number;
    };
    beside_.closer = most([&](double away) { return away < reach_; });
    beside_.not_farther = most([&](double away) { return away <= reach_; });
    return true;
  }

  // The rows that a segment and discs around its points have, and maybe one more at either end.
  Section rows(const Segment& s) const {
    const auto more = static_cast<int64_t>(reach_ / 2) + 1;
    return {(std::min(s.py, s.qy) >> 1) - more, (std::max(s.py, s.qy) >> 1) + more};
  }

  // Calls use(row, covered) for some of the rows, for a row twice maybe: what a disc around the
  // segment's first point has and what lies beside the segment. The disc around its other point is
  // left to the segment that goes on from there.
  template <class Use>
  void each_row(const Segment& s, Section rows, const Use& use) const {
    const auto each = [&](Section own, const auto& covered) {
      own = own.within(rows);
      for (int64_t row = own.first; row <= own.last; ++row) use(row, covered(row));
    };
    each(around(s.py, static_cast<int64_t>(disc_.size()) - 1), [&](int64_t row) {
      const int64_t number = row - (s.py >> 1);
      const Reach& reach = disc_[static_cast<size_t>(number >= 0 ? number : -number - even_)];
      return Covered{around(s.px, reach.closer), around(s.px, reach.not_farther)};
    });
    const Section down = crossed(s.py, s.qy), across = crossed(s.px, s.qx);
    if (s.px == s.qx) {
      const Covered all = {around(s.px, beside_.closer), around(s.px, beside_.not_farther)};
      each(down, [&](int64_t) { return all; });
    } else if (s.py == s.qy) {
      const Section closer = around(s.py, beside_.closer);
      each(around(s.py, beside_.not_farther),
           [&](int64_t row) { return Covered{closer.has(row) ? across : Section{0, -1}, across}; });
    } else {
      const Slanted part(s, reach_);
      each(part.rows(), [&](int64_t row) { return part.covered(row); });
    }
  }

 private:
  // Samples are numbered from a point on: number 0 is at the point, or the next one after it. This
  // is the last one near enough, -1 if none is.
  struct Reach {
    int64_t closer, not_farther;
  };

  double offset(int64_t number) const { return static_cast<double>(2 * number + even_); }

  // The samples up to a number after a point, and as many before it.
  Section around(int64_t point, int64_t number) const {
    return {(point >> 1) - number - even_, (point >> 1) + number};
  }

  // The samples between two points.
  static Section crossed(int64_t one, int64_t other) {
    return {std::min(one, other) >> 1, (std::max(one, other) - 1) >> 1};
  }

  // Of a row of a disc, which is so many after its middle.
  int64_t last(int64_t row, bool ties) const {
    const double away = offset(row) * offset(row), limit = reach_ * reach_;
    const auto is_in = [&](int64_t number) {
      const double apart = offset(number) * offset(number) + away;
      return ties ? apart <= limit : apart < limit;
    };
    auto number = static_cast<int64_t>(std::sqrt(std::max(limit - away, 0.0)) / 2) + 1;
    while (number >= 0 && !is_in(number)) --number;
    return number;
  }

  double reach_;
  int64_t even_;  // 1 if points are even, else 0
  Reach beside_;
  Array<Reach> disc_;
};

}  // namespace runmask
