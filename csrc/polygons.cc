#include "polygons.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "array.h"
#include "writer.h"

namespace runmask {
namespace {

__extension__ using Wide = __int128;

struct Point {
  int64_t x, y;
};

struct Edge {
  Point from, to;
};

// Calls with each edge until one call returns false, and returns what the last one did.
template <class Call>
bool for_each_edge(const Rings& rings, const Call& call) {
  const auto point = [&](int64_t i) { return Point{rings.points[2 * i], rings.points[2 * i + 1]}; };
  for (size_t ring = 0; ring < rings.count; ++ring) {
    const int64_t end = rings.offsets[ring + 1];
    for (int64_t i = rings.offsets[ring]; i < end; ++i) {
      const int64_t before = i == rings.offsets[ring] ? end - 1 : i - 1;
      if (!call(Edge{point(before), point(i)})) return false;
    }
  }
  return true;
}

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }  // b > 0

// Something in a row; sorted by row and then by `at`.
struct Crossing {
  int64_t row, at;
};
struct Span {
  int64_t row, at, stop;
};

constexpr auto before = [](const auto& a, const auto& b) {
  return a.row != b.row ? a.row < b.row : a.at < b.at;
};

// Rows with few items each are filled like buckets first, which leaves little to sort.
template <class Item>
bool sort_by_row(Array<Item>& items) {
  if (items.size() < 2) return true;
  const auto by_row = [](const Item& a, const Item& b) { return a.row < b.row; };
  const auto [low, high] = std::minmax_element(items.begin(), items.end(), by_row);
  const int64_t top = low->row;
  const auto rows = static_cast<size_t>(high->row - top) + 1;
  if (rows / 4 > items.size()) {
    std::sort(items.begin(), items.end(), before);
    return true;
  }
  Array<size_t> ends;
  Array<Item> sorted;
  if (!ends.reserve_more(rows) || !sorted.reserve_more(items.size())) return false;
  ends.set_size(rows);
  std::fill(ends.begin(), ends.end(), size_t{0});
  for (const Item& item : items) ++ends[static_cast<size_t>(item.row - top)];
  size_t begin = 0;
  for (size_t& end : ends) begin += std::exchange(end, begin);
  sorted.set_size(items.size());
  for (const Item& item : items) sorted[ends[static_cast<size_t>(item.row - top)]++] = item;
  begin = 0;
  for (const size_t end : ends) {
    if (end - begin > 1) std::sort(&sorted[begin], &sorted[begin] + (end - begin), before);
    begin = end;
  }
  items.swap(sorted);
  return true;
}

// ---- centres ----

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
                 Array<Crossing>& crossings) {
  constexpr int64_t kHalf = kSubpixels / 2;
  // Counted from the column in which the edge begins, numbers stay small.
  const int64_t base = floor_divide(top.x - kHalf, kSubpixels);
  const Integer x = top.x - kHalf - base * kSubpixels;
  const Integer dx = bottom.x - top.x;
  const Integer dy = bottom.y - top.y;
  const Integer down = first * kSubpixels + kHalf - top.y;
  Descent<Integer> edge(x * dy + down * dx, dx * kSubpixels, dy * kSubpixels);
  for (int64_t row = first; row < last; ++row, edge.next()) {
    crossings.append({row, std::clamp<int64_t>(base + edge.column(), 0, width)});
  }
}

bool add_crossings(Edge edge, Size size, Array<Crossing>& crossings) {
  constexpr int64_t kHalf = kSubpixels / 2;
  if (edge.from.y > edge.to.y) std::swap(edge.from, edge.to);
  const auto [top, bottom] = edge;
  const auto row_at = [](int64_t y) { return -floor_divide(kHalf - y, kSubpixels); };
  const int64_t first = std::max<int64_t>(row_at(top.y), 0);
  const int64_t last = std::min(row_at(bottom.y), size.height);
  if (first >= last) return true;
  if (!crossings.reserve_more(static_cast<size_t>(last - first))) return false;
  if (top.x == bottom.x) {
    const int64_t column = -floor_divide(kHalf - top.x, kSubpixels);
    const int64_t clamped = std::clamp<int64_t>(column, 0, size.width);
    for (int64_t row = first; row < last; ++row) crossings.append({row, clamped});
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

// ---- like cv2 ----

// Cuts a line off at the borders of the image; false if nothing is left of it. What it does to a
// line that misses the image counts too: the slope of the edge is taken from it.
bool clip(Size size, Edge& line) {
  constexpr int kLeft = 1, kRight = 2, kAbove = 4, kBelow = 8;
  const int64_t right = size.width - 1;
  const int64_t bottom = size.height - 1;
  auto& [a, b] = line;
  const auto beside = [&](const Point& p) {
    return (p.x < 0 ? kLeft : 0) | (p.x > right ? kRight : 0);
  };
  const auto outside = [&](const Point& p) {
    return beside(p) | (p.y < 0 ? kAbove : 0) | (p.y > bottom ? kBelow : 0);
  };
  int at_a = outside(a);
  int at_b = outside(b);
  const auto crosses = [&] { return (at_a & at_b) == 0 && (at_a | at_b) != 0; };
  const auto to_row = [&](Point& p, int& at) {
    if ((at & (kAbove | kBelow)) == 0) return;
    const int64_t y = (at & kBelow) == 0 ? 0 : bottom;
    p.x += (y - p.y) * (b.x - a.x) / (b.y - a.y);
    p.y = y;
    at = beside(p);
  };
  const auto to_column = [&](Point& p, int& at) {
    if (at == 0) return;
    const int64_t x = at == kLeft ? 0 : right;
    p.y += (x - p.x) * (b.y - a.y) / (b.x - a.x);
    p.x = x;
    at = 0;
  };
  if (crosses()) {
    to_row(a, at_a);
    to_row(b, at_b);
    if (crosses()) {
      to_column(a, at_a);
      to_column(b, at_b);
    }
  }
  return (at_a | at_b) == 0;
}

// The pixels of a line inside the image, one span a row. Bresenham's line from its left end: of two
// pixels equally near, it takes the one that is not further from where it began.
bool add_line(Edge line, Array<Span>& spans) {
  if (line.to.x < line.from.x) std::swap(line.from, line.to);
  const Point from = line.from;
  const auto right = static_cast<uint64_t>(line.to.x - from.x);
  const auto down = static_cast<uint64_t>(std::abs(line.to.y - from.y));
  const int64_t step = line.to.y < from.y ? -1 : 1;
  if (!spans.reserve_more(static_cast<size_t>(down) + 1)) return false;
  if (down > right) {
    // In row j it stands (2 * right * j + down - 1) / (2 * down) pixels to the right.
    uint64_t rest = down - 1;
    int64_t x = from.x;
    for (uint64_t j = 0; j <= down; ++j) {
      const int64_t y = from.y + step * static_cast<int64_t>(j);
      spans.append({y, x, x + 1});
      rest += 2 * right;
      if (rest >= 2 * down) {
        rest -= 2 * down;
        ++x;
      }
    }
    return true;
  }
  uint64_t start = 0;
  for (uint64_t k = 0; k <= down; ++k) {
    // The last pixel j that stands (2 * down * j + right - 1) / (2 * right) = k rows down.
    const uint64_t stop = k == down ? right + 1 : ((2 * k + 1) * right) / (2 * down) + 1;
    const int64_t y = from.y + step * static_cast<int64_t>(k);
    spans.append({y, from.x + static_cast<int64_t>(start), from.x + static_cast<int64_t>(stop)});
    start = stop;
  }
  return true;
}

constexpr int64_t kFraction = int64_t{1} << 16;

// Where the edge crosses the rows [its upper end, its lower end), in parts of a pixel. The slope is
// that of the line after clipping, cut to 16 binary places.
bool add_fixed_crossings(const Edge& edge, const Edge& clipped, Size size,
                         Array<Crossing>& crossings) {
  if (edge.from.y == edge.to.y) return true;
  Edge line = clipped;
  if (line.from.y == line.to.y) {
    line.from.y = edge.from.y;
    line.to.y = edge.to.y;
  }
  const int64_t slope = (line.to.x - line.from.x) * kFraction / (line.to.y - line.from.y);
  const bool falls = edge.from.y < edge.to.y;
  const Point known = falls ? line.from : line.to;
  const int64_t first = std::max<int64_t>(std::min(edge.from.y, edge.to.y), 0);
  const int64_t last = std::min(std::max(edge.from.y, edge.to.y), size.height);
  if (first >= last) return true;
  if (!crossings.reserve_more(static_cast<size_t>(last - first))) return false;
  Wide at = Wide{known.x} * kFraction + Wide{first - known.y} * slope;
  const Wide left = -kFraction;  // beyond the image all places are alike
  const Wide right = Wide{size.width} * kFraction;
  for (int64_t row = first; row < last; ++row, at += slope) {
    crossings.append({row, static_cast<int64_t>(std::clamp(at, left, right))});
  }
  return true;
}

bool add_edge_like_cv2(const Edge& edge, Size size, Array<Crossing>& crossings,
                       Array<Span>& spans) {
  Edge line = edge;
  if (clip(size, line) && !add_line(line, spans)) return false;
  return add_fixed_crossings(edge, line, size, crossings);
}

}  // namespace

Result fill_centers(const Rings& rings, Size size, AnyArrays& out) {
  Array<Crossing> crossings;
  if (!for_each_edge(rings,
                     [&](const Edge& edge) { return add_crossings(edge, size, crossings); }) ||
      !sort_by_row(crossings)) {
    return {Status::no_memory, 0};
  }
  return write_runs(out, [&](auto& writer) {
    writer.expect(crossings.size() / 2);
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {  // a row has an even number of them
      const int64_t row = crossings[i].row * size.width;
      writer.add(row + crossings[i].at, row + crossings[i + 1].at);
    }
  });
}

Result fill_like_cv2(const Rings& rings, Size size, AnyArrays& out) {
  Array<Crossing> crossings;
  Array<Span> lines;
  if (size.height == 0 || size.width == 0) return {};
  if (!for_each_edge(
          rings,
          [&](const Edge& edge) { return add_edge_like_cv2(edge, size, crossings, lines); }) ||
      !sort_by_row(crossings) || !sort_by_row(lines)) {
    return {Status::no_memory, 0};
  }
  return write_runs(out, [&](auto& writer) {
    size_t line = 0;
    const auto add_lines = [&](int64_t row, int64_t at) {  // those that begin before
      for (; line < lines.size() && before(lines[line], Span{row, at, 0}); ++line) {
        const int64_t first = lines[line].row * size.width;
        writer.add(first + lines[line].at, first + lines[line].stop);
      }
    };
    for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
      const int64_t row = crossings[i].row;
      const int64_t start = std::max<int64_t>((crossings[i].at + kFraction - 1) >> 16, 0);
      const int64_t stop = std::min((crossings[i + 1].at >> 16) + 1, size.width);
      add_lines(row, start);
      writer.add(row * size.width + start, row * size.width + stop);
    }
    add_lines(size.height, 0);
  });
}

}  // namespace runmask
