#include "polygons.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "crossings.h"
#include "writer.h"

namespace runmask {
namespace {

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }  // b > 0

// Steps down an edge from row to row, exactly: column = ceil(place / unit).
template <class Integer>
class Descent {
 public:
  // `place` in the first row; both grow by `step` and the remainder of the unit per row.
  Descent(Integer place, Integer step, Integer unit) : unit_(unit) {
    column_ = quotient(place, unit, rest_);
    each_ = quotient(step, unit, each_rest_);
  }

  int64_t column() const { return column_ + (rest_ > 0); }

  void next() {
    column_ += each_;
    rest_ += each_rest_;
    if (rest_ >= unit_) {
      rest_ -= unit_;
      ++column_;
    }
  }

 private:
  static int64_t quotient(Integer a, Integer b, Integer& rest) {
    Integer result = a / b;
    rest = a % b;
    if (rest < 0) {
      rest += b;
      --result;
    }
    return static_cast<int64_t>(result);
  }

  Integer unit_, rest_ = 0, each_rest_ = 0;
  int64_t column_, each_;
};

// The columns from which a row's centres lie right of the edge, for rows [first, last).
template <class Integer>
void add_descent(Point top, Point bottom, int64_t first, int64_t last, int64_t width,
                 Crossings<uint64_t>& crossings) {
  constexpr int64_t kHalf = kSubpixels / 2;
  // Counted from the column in which the edge begins, numbers stay small.
  const int64_t base = floor_divide(top.x - kHalf, kSubpixels);
  const Integer x = top.x - kHalf - base * kSubpixels;
  const Integer dx = bottom.x - top.x;
  const Integer dy = bottom.y - top.y;
  const Integer down = first * kSubpixels + kHalf - top.y;
  Descent<Integer> edge(x * dy + down * dx, dx * kSubpixels, dy * kSubpixels);
  for (int64_t row = first; row < last; ++row, edge.next()) {
    crossings.add(row, std::clamp<int64_t>(base + edge.column(), 0, width));
  }
}

bool add_crossings(Edge edge, Size size, Crossings<uint64_t>& crossings) {
  constexpr int64_t kHalf = kSubpixels / 2;
  if (edge.from.y > edge.to.y) std::swap(edge.from, edge.to);
  const auto [top, bottom] = edge;
  const auto row_at = [](int64_t y) { return -floor_divide(kHalf - y, kSubpixels); };
  const int64_t first = std::max<int64_t>(row_at(top.y), 0);
  const int64_t last = std::min(row_at(bottom.y), size.height);
  if (first >= last) return true;
  if (!crossings.reserve_more(last - first)) return false;
  if (top.x == bottom.x) {
    const int64_t column = -floor_divide(kHalf - top.x, kSubpixels);
    const int64_t clamped = std::clamp<int64_t>(column, 0, size.width);
    for (int64_t row = first; row < last; ++row) crossings.add(row, clamped);
    return true;
  }
  // Products of two such distances, or of one and kSubpixels, fit 63 bits.
  constexpr int64_t kShort = int64_t{1} << 30;
  const bool is_short = std::abs(bottom.x - top.x) < kShort && bottom.y - top.y < kShort;
  if (is_short) {
    add_descent<int64_t>(top, bottom, first, last, size.width, crossings);
  } else {
    add_descent<Wide>(top, bottom, first, last, size.width, crossings);
  }
  return true;
}

}  // namespace

Result fill_centers(const Rings& rings, Size size, AnyArrays& out) {
  Crossings<uint64_t> crossings(bits_of(size.width));  // with 31 bits for rows at most 62
  const auto add = [&](const Edge& edge) { return add_crossings(edge, size, crossings); };
  if (!for_each_edge(rings, add) || !crossings.sort()) return {Status::no_memory, 0};
  return write_runs(out, [&](auto& writer) {
    writer.expect(crossings.size() / 2);
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {  // a row has an even number of them
      const int64_t row = crossings.row(i) * size.width;
      writer.add(row + crossings.at(i), row + crossings.at(i + 1));
    }
  });
}

}  // namespace runmask
