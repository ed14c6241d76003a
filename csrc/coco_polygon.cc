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

// From this pixel on, down its column and all behind, the pixels are turned over.
struct Turn {
  int64_t column, row;
};

bool before(Turn a, Turn b) { return a.column != b.column ? a.column < b.column : a.row < b.row; }

// An outline passes a column twice or more, so that the columns are few and each has few turns.
bool sort(Array<Turn>& turns) {
  const auto by_column = [](Turn a, Turn b) { return a.column < b.column; };
  const auto [low, high] = std::minmax_element(turns.begin(), turns.end(), by_column);
  const int64_t first = low->column;
  const auto columns = static_cast<size_t>(high->column - first) + 1;
  if (columns > turns.size()) {
    std::sort(turns.begin(), turns.end(), before);
    return true;
  }
  Array<Turn> sorted;
  Array<size_t> ends;  // of the turns of each column
  if (!sorted.reserve_more(turns.size()) || !ends.reserve_more(columns + 1)) return false;
  std::fill_n(ends.data(), columns + 1, 0);
  for (const Turn& turn : turns) ++ends[static_cast<size_t>(turn.column - first) + 1];
  for (size_t c = 0; c < columns; ++c) ends[c + 1] += ends[c];
  for (const Turn& turn : turns) sorted[ends[static_cast<size_t>(turn.column - first)]++] = turn;
  for (size_t c = 0, begin = 0; c < columns; begin = ends[c++]) {
    if (ends[c] - begin > 1) std::sort(sorted.data() + begin, sorted.data() + ends[c], before);
  }
  sorted.set_size(turns.size());
  turns.swap(sorted);
  return true;
}

}  // namespace

Result draw_coco_polygon(const double* points, size_t count, int64_t height, int64_t width,
                         AnyArrays& out) {
  constexpr double kFarthest = 4294967296.;
  for (size_t i = 0; i < 2 * count; ++i) {
    if (!(std::abs(points[i]) <= kFarthest)) return {Status::bad_point, i / 2};
  }
  Array<Turn> turns;
  const auto point = [&](size_t i) {
    return Point{rounded(5. * points[2 * i]), rounded(5. * points[2 * i + 1])};
  };
  const auto turn = [&](int64_t column, int64_t fine) {
    if (!turns.reserve_more(1)) return false;
    turns.append({column, row_below(fine, height)});
    return true;
  };
  for (size_t i = 0; i < count; ++i) {
    if (!for_columns(point(i), point(i + 1 < count ? i + 1 : 0), width, turn)) {
      return {Status::no_memory, 0};
    }
  }
  if (turns.size() == 0) return {};
  if (!sort(turns) || !turns.reserve_more(1)) return {Status::no_memory, 0};
  if (turns.size() % 2 != 0) turns.append({width, 0});
  return write_runs(out, [&](auto& runs) {
    const auto pixel = [&](size_t i) { return turns[i].column * height + turns[i].row; };
    for (size_t i = 0; i < turns.size(); i += 2) runs.add(pixel(i), pixel(i + 1));
  });
}

}  // namespace runmask
