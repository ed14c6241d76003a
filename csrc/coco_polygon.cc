#include "coco_polygon.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "array.h"
#include "writer.h"

namespace runmask {
namespace {

constexpr int64_t kScale = 5;            // steps of the fine grid in a pixel
constexpr int64_t kMiddle = kScale / 2;  // of a pixel, on the fine grid

struct Point {
  int64_t x, y;
};

int64_t rounded(double value) {
  return static_cast<int64_t>(value + .5);
}  // as COCO: cut, not floor

// The first row below a place on the fine grid, inside the image.
int64_t row_below(int64_t fine, int64_t height) {
  const double row = (static_cast<double>(fine) + .5) / kScale - .5;
  return static_cast<int64_t>(std::ceil(std::clamp(row, 0., static_cast<double>(height))));
}

// Calls with each column whose middle an edge passes, and how far down, on the fine grid.
template <class Call>
bool for_columns(Point a, Point b, int64_t width, const Call& call) {
  const int64_t dx = std::abs(b.x - a.x);
  const int64_t dy = std::abs(b.y - a.y);
  const bool flat = dx >= dy;
  if (flat ? a.x > b.x : a.y > b.y) std::swap(a, b);
  const auto ax = static_cast<double>(a.x);
  const auto ay = static_cast<double>(a.y);
  // from the middle to the grid line behind it, both within the edge
  const int64_t from = std::max<int64_t>(std::min(a.x, b.x), kMiddle);
  const int64_t first = (from - kMiddle + kScale - 1) / kScale;
  const int64_t to = std::max(a.x, b.x) - kMiddle - 1;
  const int64_t last = to < 0 ? -1 : std::min(to / kScale, width - 1);
  if (flat) {
    const double slope = static_cast<double>(b.y - a.y) / static_cast<double>(dx);
    const auto place = [&](int64_t t) { return rounded(ay + slope * static_cast<double>(t)); };
    for (int64_t column = first; column <= last; ++column) {
      const int64_t t = kScale * column + kMiddle - a.x;
      if (!call(column, std::min(place(t), place(t + 1)))) return false;
    }
    return true;
  }
  const double slope = static_cast<double>(b.x - a.x) / static_cast<double>(dy);
  for (int64_t column = first; column <= last; ++column) {
    // The step on which the walk has passed the middle: foretold, then set right by the walk's own
    // arithmetic, which never turns back.
    const int64_t middle = kScale * column + kMiddle;
    const auto passed = [&](int64_t t) {
      const int64_t x = rounded(ax + slope * static_cast<double>(t));
      return a.x < b.x ? x > middle : x <= middle;
    };
    const double guess = (static_cast<double>(middle) + .5 - ax) / slope;
    int64_t t = std::clamp<int64_t>(static_cast<int64_t>(guess), 1, dy);
    while (t > 1 && passed(t - 1)) --t;
    while (t < dy && !passed(t)) ++t;
    if (!call(column, a.y + t - 1)) return false;
  }
  return true;
}

}  // namespace

Result draw_coco_polygon(const double* points, size_t count, int64_t height, int64_t width,
                         AnyArrays& out) {
  Array<int64_t> turns;  // pixels from which on all are turned over, down the columns
  const auto point = [&](size_t i) {
    return Point{rounded(5. * points[2 * i]), rounded(5. * points[2 * i + 1])};
  };
  for (size_t i = 0; i < count; ++i) {
    const bool good = for_columns(point(i), point(i + 1 < count ? i + 1 : 0), width,
                                  [&](int64_t column, int64_t fine) {
                                    if (!turns.reserve_more(1)) return false;
                                    turns.append(column * height + row_below(fine, height));
                                    return true;
                                  });
    if (!good) return {Status::no_memory, 0};
  }
  std::sort(turns.begin(), turns.end());
  if (turns.size() % 2 != 0) {
    if (!turns.reserve_more(1)) return {Status::no_memory, 0};
    turns.append(height * width);
  }
  return write_runs(out, [&](auto& runs) {
    for (size_t i = 0; i < turns.size(); i += 2) runs.add(turns[i], turns[i + 1]);
  });
}

}  // namespace runmask
