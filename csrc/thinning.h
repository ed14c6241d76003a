// How simplify() takes points out of a drawing. Both throw std::bad_alloc.
#pragma once

#include <cstdint>

#include "ring_graph.h"
#include "vertex_grid.h"

namespace runmask {

// By Visvalingam and Whyatt. O(points log points) where triangles are as thin as those of masks.
void thin_by_triangles(RingGraph& graph, VertexGrid& grid, double tolerance);

// By Douglas and Peucker. As above.
void thin_by_lines(RingGraph& graph, VertexGrid& grid, double tolerance);

// A point of the grid in a triangle or on its sides, none of its corners; RingGraph::kNone if there
// is no such point.
uint32_t point_in_triangle(const RingGraph& graph, const VertexGrid& grid, uint32_t a, uint32_t b,
                           uint32_t c);

}  // namespace runmask
