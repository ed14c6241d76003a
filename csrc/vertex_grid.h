// Points of whole, distinct coordinates from which some go, found by place.
//
// A grid of square cells, about one for each point; where points are dense a cell is a finer grid
// itself. Cells of 8 x 8 or less need no finer one, as points are distinct: so no arrangement of
// points makes a cell long to look through.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace runmask {

struct Spot {
  int64_t x, y;
};

// Twice the area of a triangle, positive if clockwise on a screen.
inline int64_t cross(Spot a, Spot b, Spot c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

class VertexGrid {
 public:
  // Point i is (x[i], y[i]), 0 <= x, y < 2^31. O(points).
  VertexGrid(const std::vector<int32_t>& x, const std::vector<int32_t>& y);

  void remove(Spot spot);

  // Calls test(spot, number) with points of which all within the box, ends inclusive, are some,
  // until one call returns true; what the last one returned.
  template <class Test>
  bool any_in_box(Spot low, Spot high, const Test& test) const {
    const auto columns = [&](int64_t, int64_t) { return Range{low.x, high.x}; };
    return any_in(kRoot, low.y, high.y, columns, test);
  }

  // The same for all points within a box that are at most `reach` away from a line, in x and in y.
  template <class Test>
  bool any_near(Spot from, Spot to, int64_t reach, Spot low, Spot high, const Test& test) const {
    if (from.y > to.y) std::swap(from, to);
    const double slope =
        from.y == to.y ? 0.0
                       : static_cast<double>(to.x - from.x) / static_cast<double>(to.y - from.y);
    low = {std::max(low.x, std::min(from.x, to.x) - reach), std::max(low.y, from.y - reach)};
    high = {std::min(high.x, std::max(from.x, to.x) + reach), std::min(high.y, to.y + reach)};
    const auto columns = [=](int64_t top, int64_t bottom) {
      if (from.y == to.y) return Range{low.x, high.x};
      const int64_t first = std::clamp(top - reach, from.y, to.y);
      const int64_t last = std::clamp(bottom + reach, from.y, to.y);
      const double a = slope * static_cast<double>(first - from.y);
      const double b = slope * static_cast<double>(last - from.y);
      const auto left = from.x + static_cast<int64_t>(std::floor(std::min(a, b))) - 1 - reach;
      const auto right = from.x + static_cast<int64_t>(std::ceil(std::max(a, b))) + 1 + reach;
      return Range{std::max(left, low.x), std::min(right, high.x)};
    };
    return any_in(kRoot, low.y, high.y, columns, test);
  }

 private:
  struct Range {
    int64_t first, last;
  };
  struct Item {
    int32_t x, y;
    uint32_t number;
  };
  struct Cell {
    uint32_t first;  // an item, or the grid that the cell is
    uint32_t count;  // of items, or kGrid
  };
  struct Grid {
    int64_t x, y;
    int shift;  // cells have sides of 1 << shift
    int64_t columns, rows;
    size_t cells;
  };
  struct Part {  // of the items, for which a grid is to be made
    int64_t x, y, width, height;
    size_t first, count;
  };

  static constexpr size_t kRoot = 0;
  static constexpr uint32_t kGrid = UINT32_MAX;
  static constexpr uint32_t kFull = 64;

  void add_grid(const Part& part, std::vector<Item>& spare, std::vector<Part>& parts);
  Cell& cell_of(Spot spot);

  // Calls itself for grids in grids: at most 11 deep, since each has cells of an eighth or less.
  template <class Columns, class Test>
  bool any_in(size_t number, int64_t top, int64_t bottom, const Columns& columns,
              const Test& test) const {
    const Grid& grid = grids_[number];
    const int64_t first_row = std::max<int64_t>((top - grid.y) >> grid.shift, 0);
    const int64_t last_row = std::min((bottom - grid.y) >> grid.shift, grid.rows - 1);
    for (int64_t row = first_row; row <= last_row; ++row) {
      const int64_t y = grid.y + (row << grid.shift);
      const Range range = columns(y, y + (int64_t{1} << grid.shift) - 1);
      const int64_t first = std::max<int64_t>((range.first - grid.x) >> grid.shift, 0);
      const int64_t last = std::min((range.last - grid.x) >> grid.shift, grid.columns - 1);
      const Cell* cells = cells_.data() + grid.cells + row * grid.columns;
      for (int64_t column = first; column <= last; ++column) {
        const Cell cell = cells[column];
        if (cell.count == kGrid) {
          if (any_in(cell.first, top, bottom, columns, test)) return true;
          continue;
        }
        for (uint32_t i = cell.first; i < cell.first + cell.count; ++i) {
          const Item& item = items_[i];
          if (test(Spot{item.x, item.y}, item.number)) return true;
        }
      }
    }
    return false;
  }

  std::vector<Item> items_;
  std::vector<Cell> cells_;
  std::vector<Grid> grids_;
};

}  // namespace runmask
