#include "simplify.h"

#include <algorithm>
#include <new>

#include "ring_graph.h"
#include "thinning.h"
#include "vertex_grid.h"

namespace runmask {
namespace {

Result simplify_or_throw(const FlatRings& rings, double tolerance, Simplification method,
                         Array<int32_t>& points, Array<int64_t>& offsets) {
  RingGraph graph;
  if (const Result built = graph.build(rings); built.status != Status::ok) return built;
  VertexGrid grid(graph.xs(), graph.ys());
  if (method == Simplification::visvalingam) {
    thin_by_triangles(graph, grid, tolerance);
  } else {
    thin_by_lines(graph, grid, tolerance);
  }
  return graph.write(rings, points, offsets);
}

}  // namespace

Result simplify(const FlatRings& rings, double tolerance, Simplification method,
                Array<int32_t>& points, Array<int64_t>& offsets) {
  if (rings.count != 0 && tolerance > 0) {
    try {
      return simplify_or_throw(rings, tolerance, method, points, offsets);
    } catch (const std::bad_alloc&) {
      return {Status::no_memory, 0};
    }
  }
  const size_t count = rings.point_count();
  if (!points.reserve_more(2 * count) || !offsets.reserve_more(rings.count + 1)) {
    return {Status::no_memory, 0};
  }
  points.set_size(2 * count);
  offsets.set_size(rings.count + 1);
  std::copy_n(rings.points, 2 * count, points.data());
  std::copy_n(rings.offsets, rings.count + 1, offsets.data());
  return {};
}

}  // namespace runmask
