#include <algorithm>
#include <cstdlib>
#include <utility>

#include "crossings.h"
#include "polygons.h"
#include "writer.h"

namespace runmask {
namespace {

constexpr int kFractionBits = 16;
constexpr int64_t kFraction = int64_t{1} << kFractionBits;

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

// Upright and diagonal edges cross each row in the middle of a pixel, which the inside then has
// from their upper to before their lower end: of their line only that end is missing.
bool is_inside_itself(const Edge& edge) {
  const int64_t right = std::abs(edge.to.x - edge.from.x);
  return right == 0 || right == std::abs(edge.to.y - edge.from.y);
}

bool equal(const Edge& a, const Edge& b) {
  return a.from.x == b.from.x && a.from.y == b.from.y && a.to.x == b.to.x && a.to.y == b.to.y;
}

// Edges as places where they cross rows, and as the pixels of their lines.
template <class Key>
class Drawing {
 public:
  explicit Drawing(Size size)
      : size_(size),
        column_bits_(bits_of(size.width)),
        crossings_(place_bits(size)),
        lines_(2 * column_bits_) {}

  static bool fits(Size size) {
    const int places = std::max(place_bits(size), 2 * bits_of(size.width));
    return bits_of(size.height) + places <= static_cast<int>(8 * sizeof(Key));
  }

  // False if there is no memory.
  bool add(const Edge& edge) {
    Edge line = edge;
    const bool visible = clip(size_, line);
    const bool whole = equal(line, edge);
    const bool short_cut = whole && is_inside_itself(edge);
    const Point end = edge.from.y > edge.to.y ? edge.from : edge.to;
    if (visible && !add_line(short_cut ? Edge{end, end} : line)) return false;

    const int64_t first = std::max<int64_t>(std::min(edge.from.y, edge.to.y), 0);
    const int64_t last = std::min(std::max(edge.from.y, edge.to.y), size_.height);
    if (first >= last) return true;
    if (!crossings_.reserve_more(last - first)) return false;
    if (whole) {
      cross<int64_t>(edge, edge, first, last);  // stays between its ends
      return true;
    }
    if (line.from.y == line.to.y) {
      line.from.y = edge.from.y;
      line.to.y = edge.to.y;
    }
    cross<Wide>(edge, line, first, last);
    return true;
  }

  bool sort() { return crossings_.sort() && lines_.sort(); }

  template <class Writer>
  void write(Writer& writer) const {
    size_t line = 0;
    const auto add_lines = [&](int64_t row, int64_t column) {  // those that begin before
      for (; line < lines_.size(); ++line) {
        const int64_t at = lines_.row(line);
        const int64_t first = lines_.at(line) >> column_bits_;
        if (at > row || (at == row && first >= column)) return;
        const int64_t stop = lines_.at(line) & ((int64_t{1} << column_bits_) - 1);
        writer.add(at * size_.width + first, at * size_.width + stop);
      }
    };
    for (size_t i = 0; i + 1 < crossings_.size(); i += 2) {  // a row has an even number of them
      const int64_t row = crossings_.row(i);
      const int64_t left = crossings_.at(i) - kFraction;
      const int64_t right = crossings_.at(i + 1) - kFraction;
      const int64_t start = std::max<int64_t>((left + kFraction - 1) >> kFractionBits, 0);
      const int64_t stop = std::min((right >> kFractionBits) + 1, size_.width);
      add_lines(row, start);
      writer.add(row * size_.width + start, row * size_.width + stop);
    }
    add_lines(size_.height, 0);
  }

 private:
  // From a pixel left of the image to its right end, in parts of a pixel.
  static int place_bits(Size size) { return bits_of(size.width + 1) + kFractionBits; }

  void draw(int64_t row, int64_t first, int64_t stop) {
    lines_.add(row, first << column_bits_ | stop);
  }

  // The pixels of a line inside the image. Bresenham's line from its left end: of two pixels
  // equally near, it takes the one that is not further from where it began.
  bool add_line(Edge line) {
    if (line.to.x < line.from.x) std::swap(line.from, line.to);
    const auto right = static_cast<uint64_t>(line.to.x - line.from.x);
    const auto down = static_cast<uint64_t>(std::abs(line.to.y - line.from.y));
    const int64_t step = line.to.y < line.from.y ? -1 : 1;
    if (!lines_.reserve_more(static_cast<int64_t>(down) + 1)) return false;
    Point at = line.from;
    if (down > right) {
      // In row j it stands (2 * right * j + down - 1) / (2 * down) pixels to the right.
      uint64_t rest = down - 1;
      for (uint64_t j = 0; j <= down; ++j, at.y += step) {
        draw(at.y, at.x, at.x + 1);
        rest += 2 * right;
        if (rest >= 2 * down) {
          rest -= 2 * down;
          ++at.x;
        }
      }
      return true;
    }
    for (uint64_t k = 0; k <= down; ++k, at.y += step) {
      // The last pixel j that stands (2 * down * j + right - 1) / (2 * right) = k rows down.
      const uint64_t last = k == down ? right : ((2 * k + 1) * right) / (2 * down);
      const int64_t stop = line.from.x + static_cast<int64_t>(last) + 1;
      draw(at.y, at.x, stop);
      at.x = stop;
    }
    return true;
  }

  // Where the edge crosses rows [first, last), by the slope of the line that is left of it in the
  // image, cut to 16 binary places.
  template <class Integer>
  void cross(const Edge& edge, const Edge& line, int64_t first, int64_t last) {
    const int64_t slope = (line.to.x - line.from.x) * kFraction / (line.to.y - line.from.y);
    const Point known = edge.from.y < edge.to.y ? line.from : line.to;
    const Integer furthest = Integer{size_.width + 1} * kFraction;  // beyond, all places are alike
    Integer at = Integer{known.x + 1} * kFraction + Integer{first - known.y} * slope;
    for (int64_t row = first; row < last; ++row, at += slope) {
      crossings_.add(row, static_cast<int64_t>(std::clamp(at, Integer{0}, furthest)));
    }
  }

  Size size_;
  int column_bits_;
  Crossings<Key> crossings_, lines_;
};

template <class Key>
Result fill(const Rings& rings, Size size, AnyArrays& out) {
  Drawing<Key> drawing(size);
  const auto add = [&](const Edge& edge) { return drawing.add(edge); };
  if (!for_each_edge(rings, add) || !drawing.sort()) return {Status::no_memory, 0};
  return write_runs(out, [&](auto& writer) { drawing.write(writer); });
}

}  // namespace

Result fill_like_cv2(const Rings& rings, Size size, AnyArrays& out) {
  if (size.height == 0 || size.width == 0) return {};
  return Drawing<uint64_t>::fits(size) ? fill<uint64_t>(rings, size, out)
                                       : fill<WideKey>(rings, size, out);
}

}  // namespace runmask
