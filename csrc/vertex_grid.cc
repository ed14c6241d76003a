#include "vertex_grid.h"

namespace runmask {

VertexGrid::VertexGrid(const std::vector<int32_t>& x, const std::vector<int32_t>& y)
    : items_(x.size()) {
  int32_t width = 0, height = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    items_[i] = {x[i], y[i], static_cast<uint32_t>(i)};
    width = std::max(width, x[i]);
    height = std::max(height, y[i]);
  }
  std::vector<Item> spare(items_.size());
  std::vector<Part> parts = {{0, 0, int64_t{width} + 1, int64_t{height} + 1, 0, items_.size()}};
  for (size_t made = 0; made < parts.size(); ++made) {  // which adds to them
    const Part part = parts[made];
    add_grid(part, spare, parts);
  }
}

// Grid n is made of part n; its items are put in order of their cells.
void VertexGrid::add_grid(const Part& part, std::vector<Item>& spare, std::vector<Part>& parts) {
  Grid grid = {part.x, part.y, 0, 0, 0, cells_.size()};
  const auto most = static_cast<int64_t>(std::max<size_t>(part.count, kFull));
  const auto cells_at = [&](int shift) {
    grid.columns = ((part.width - 1) >> shift) + 1;
    grid.rows = ((part.height - 1) >> shift) + 1;
    return grid.columns > most || grid.rows > most ? INT64_MAX : grid.columns * grid.rows;
  };
  while (cells_at(grid.shift) > most) ++grid.shift;
  cells_.resize(grid.cells + static_cast<size_t>(grid.columns * grid.rows), Cell{0, 0});
  Cell* cells = cells_.data() + grid.cells;
  const auto cell_at = [&](const Item& item) -> Cell& {
    return cells[((item.y - grid.y) >> grid.shift) * grid.columns +
                 ((item.x - grid.x) >> grid.shift)];
  };
  Item* items = items_.data() + part.first;
  for (size_t i = 0; i < part.count; ++i) ++cell_at(items[i]).count;
  auto first = static_cast<uint32_t>(part.first);
  for (Cell* cell = cells; cell < cells + grid.columns * grid.rows; ++cell) {
    cell->first = first;
    first += cell->count;
    cell->count = 0;
  }
  for (size_t i = 0; i < part.count; ++i) {
    Cell& cell = cell_at(items[i]);
    spare[cell.first + cell.count++] = items[i];
  }
  std::copy_n(spare.data() + part.first, part.count, items);
  const int64_t side = int64_t{1} << grid.shift;
  for (int64_t row = 0; row < grid.rows; ++row) {
    for (int64_t column = 0; column < grid.columns; ++column) {
      Cell& cell = cells[row * grid.columns + column];
      if (cell.count <= kFull || grid.shift <= 3) continue;
      parts.push_back(
          {grid.x + column * side, grid.y + row * side, side, side, cell.first, cell.count});
      cell = {static_cast<uint32_t>(parts.size() - 1), kGrid};
    }
  }
  grids_.push_back(grid);
}

VertexGrid::Cell& VertexGrid::cell_of(Spot spot) {
  size_t number = kRoot;
  while (true) {
    const Grid& grid = grids_[number];
    const int64_t row = (spot.y - grid.y) >> grid.shift;
    const int64_t column = (spot.x - grid.x) >> grid.shift;
    Cell& cell = cells_[grid.cells + static_cast<size_t>(row * grid.columns + column)];
    if (cell.count != kGrid) return cell;
    number = cell.first;
  }
}

void VertexGrid::remove(Spot spot) {
  Cell& cell = cell_of(spot);
  Item* items = items_.data() + cell.first;
  for (uint32_t i = 0; i < cell.count; ++i) {
    if (items[i].x != spot.x || items[i].y != spot.y) continue;
    items[i] = items[--cell.count];
    return;
  }
}

}  // namespace runmask
