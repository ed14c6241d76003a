// Contours straight from runs: closed rings around the set pixels and around the holes in them.
//
// Rings come in raster order of their starts, so parents stand before their children. Edge rings
// run along pixel edges and have corners only; the set side is to their right on the screen, so the
// shoelace sum of outer rings is positive and that of holes negative. They start at their topmost,
// then leftmost corner. Center rings are those of cv2.findContours with CHAIN_APPROX_SIMPLE, point
// for point: they join the centers of border pixels.
//
// Source: crack following on the run ends of neighbouring rows, after Quek (2000); nesting by the
// rule of Suzuki and Abe (1985), which needs the edge to the left of a ring's start alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "components.h"
#include "status.h"

namespace runmask {

enum class Outline : int { edge = 0, center = 1 };

struct Contours {
  Array<int32_t> points;       // x y x y ..., ring after ring
  Array<int64_t> offsets;      // each ring's first point, and one past the last point of all
  Array<int32_t> parents;      // the ring around each ring, -1 where there is none
  Array<uint8_t> holes;        // 1 for a hole, 0 for an outer ring
  Array<int64_t> twice_areas;  // positive for outer rings, negative for holes
};

// Traces all rings. More than `max_corners` corners on pixel edges are refused before they are
// written, with Status::too_many_corners. `strips` of rows, at least 1, are swept at once in
// threads; the result is the same for every number. Time O(runs + corners), memory O(corners).
Result contours(const AnyRuns& runs, int64_t width, Outline outline, Connectivity connectivity,
                int64_t max_corners, size_t strips, Contours& out);

}  // namespace runmask
