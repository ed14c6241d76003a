#include <algorithm>
#include <new>
#include <vector>

#include "crossings.h"
#include "rings.h"

namespace runmask {
namespace {

// An edge that is not level, from its upper end.
struct Fall {
  int32_t x, y, bottom_x, bottom_y;

  int32_t left() const { return std::min(x, bottom_x); }
  int32_t right() const { return std::max(x, bottom_x); }
  bool is_upright() const { return x == bottom_x; }
};

struct Query {
  int64_t x, y;
  size_t number;
};

// At a point in its rows: whether it is not right of the point.
bool is_passed(const Fall& edge, int64_t x, int64_t y) {
  const Wide over = Wide{x - edge.x * kSubpixels} * (int64_t{edge.bottom_y} - edge.y);
  return over >= Wide{y - edge.y * kSubpixels} * (int64_t{edge.bottom_x} - edge.x);
}

// Goes down through the rows, and knows of the edges in the row whether those that lie left of a
// column as a whole are odd in number. Each has a bit at its right end, and those of all up to a
// column are summed by a Fenwick tree (1994).
class Parity {
 public:
  explicit Parity(const std::vector<Fall>& edges) {
    for (const Fall& edge : edges) columns_.push_back(edge.right());
    std::sort(columns_.begin(), columns_.end());
    columns_.erase(std::unique(columns_.begin(), columns_.end()), columns_.end());
    if (columns_.empty()) return;
    // A place for each column, if that is not many, saves looking for it.
    const auto width = static_cast<size_t>(int64_t{columns_.back()} - columns_.front()) + 1;
    is_dense_ = width / 8 <= edges.size();
    bits_.assign((is_dense_ ? width : columns_.size()) + 1, 0);
  }

  void turn(int32_t column) {
    for (size_t i = place(column); i < bits_.size(); i += i & (~i + 1)) bits_[i] ^= 1;
  }

  bool up_to(int32_t column) const {
    uint8_t odd = 0;
    for (size_t i = place(column); i != 0; i &= i - 1) odd ^= bits_[i];
    return odd != 0;
  }

 private:
  size_t place(int32_t column) const {
    if (columns_.empty() || column < columns_.front()) return 0;
    if (is_dense_) {
      return static_cast<size_t>(int64_t{std::min(column, columns_.back())} - columns_.front()) + 1;
    }
    const auto after = std::upper_bound(columns_.begin(), columns_.end(), column);
    return static_cast<size_t>(after - columns_.begin());
  }

  std::vector<int32_t> columns_;
  bool is_dense_ = false;
  std::vector<uint8_t> bits_;
};

// The slanted edges in the row that have ends on both sides of a column: in lists by column, so
// wide that an edge is in few of them.
class Slants {
 public:
  explicit Slants(const std::vector<Fall>& edges) : edges_(edges) {
    int64_t left = INT64_MAX, right = INT64_MIN, widths = 0, count = 0;
    for (const Fall& edge : edges) {
      if (edge.is_upright()) continue;
      left = std::min<int64_t>(left, edge.left());
      right = std::max<int64_t>(right, edge.right());
      widths += int64_t{edge.right()} - edge.left();
      ++count;
    }
    if (count == 0) return;
    left_ = left;
    width_ = std::max(widths / count, (right - left) / count) + 1;
    lists_.resize(static_cast<size_t>((right - left) / width_) + 1);
  }

  void add(size_t number) {
    const Fall& edge = edges_[number];
    for (size_t list = list_of(edge.left()); list <= list_of(edge.right()); ++list) {
      lists_[list].push_back(number);
    }
  }

  bool is_odd(int64_t x, int64_t y, int32_t column) {
    if (column < left_) return false;
    const size_t number = list_of(column);
    if (number >= lists_.size()) return false;
    std::vector<size_t>& list = lists_[number];
    bool odd = false;
    for (size_t i = 0; i < list.size();) {
      const Fall& edge = edges_[list[i]];
      if (edge.bottom_y * kSubpixels <= y) {  // rows never come back
        list[i] = list.back();
        list.pop_back();
        continue;
      }
      if (column >= edge.left() && column < edge.right()) odd ^= is_passed(edge, x, y);
      ++i;
    }
    return odd;
  }

 private:
  size_t list_of(int32_t column) const { return static_cast<size_t>((column - left_) / width_); }

  const std::vector<Fall>& edges_;
  int64_t left_ = 0, width_ = 1;
  std::vector<std::vector<size_t>> lists_;
};

std::vector<Fall> falls_of(const FlatRings& rings) {
  std::vector<Fall> edges;
  for (size_t ring = 0; ring < rings.count; ++ring) {
    const int32_t* end = rings.points + 2 * rings.offsets[ring + 1];
    const int32_t* from = end - 2;
    for (const int32_t* to = rings.points + 2 * rings.offsets[ring]; to < end; to += 2) {
      if (from[1] < to[1]) edges.push_back({from[0], from[1], to[0], to[1]});
      if (from[1] > to[1]) edges.push_back({to[0], to[1], from[0], from[1]});
      from = to;
    }
  }
  return edges;
}

int64_t pixel_of(int64_t place) {
  return place >= 0 ? place / kSubpixels : -((-place + kSubpixels - 1) / kSubpixels);
}

bool is_int32(int64_t number) { return number >= INT32_MIN && number <= INT32_MAX; }

void contain_points_or_throw(const FlatRings& rings, const int64_t* points, size_t count,
                             uint8_t* inside) {
  std::vector<Fall> edges = falls_of(rings);
  std::sort(edges.begin(), edges.end(), [](const Fall& a, const Fall& b) { return a.y < b.y; });
  std::vector<std::pair<int32_t, int32_t>> ends;  // y, and the column where a bit turns
  for (const Fall& edge : edges) ends.push_back({edge.bottom_y, edge.right()});
  std::sort(ends.begin(), ends.end());
  std::vector<Query> queries(count);
  for (size_t i = 0; i < count; ++i) queries[i] = {points[2 * i], points[2 * i + 1], i};
  std::sort(queries.begin(), queries.end(),
            [](const Query& a, const Query& b) { return a.y < b.y; });
  Parity parity(edges);
  Slants slants(edges);
  size_t begun = 0, ended = 0;
  for (const auto& [x, y, number] : queries) {
    inside[number] = 0;
    if (!is_int32(pixel_of(x)) || !is_int32(pixel_of(y))) continue;  // no point is so far out
    const auto row = static_cast<int32_t>(pixel_of(y));
    const auto column = static_cast<int32_t>(pixel_of(x));
    for (; begun < edges.size() && edges[begun].y <= row; ++begun) {
      parity.turn(edges[begun].right());
      if (!edges[begun].is_upright()) slants.add(begun);
    }
    for (; ended < ends.size() && ends[ended].first <= row; ++ended) {
      parity.turn(ends[ended].second);
    }
    inside[number] = parity.up_to(column) != slants.is_odd(x, y, column);
  }
}

}  // namespace

Result contain_points(const FlatRings& rings, const int64_t* points, size_t count,
                      uint8_t* inside) {
  try {
    contain_points_or_throw(rings, points, count, inside);
  } catch (const std::bad_alloc&) {
    return {Status::no_memory, 0};
  }
  return {};
}

}  // namespace runmask
