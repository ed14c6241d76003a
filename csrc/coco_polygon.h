// Polygons to pixels exactly as the COCO API draws them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "status.h"

namespace runmask {

// The pixels of one polygon, given as x and y of each point, in COCO's order: `out` holds runs of
// the transposed image, of `width` rows and `height` columns. Fails with bad_point for coordinates
// that are not finite or not within 2**32.
//
// COCO's rule: points are rounded to a grid five times as fine, the outline is walked there a step
// at a time, and where it passes the middle of a column of pixels, all pixels below change. The
// walk is not made here: each edge is asked for its place at each of those columns, with the same
// arithmetic. O(points + columns passed, sorted).
Result draw_coco_polygon(const double* points, size_t count, int64_t height, int64_t width,
                         AnyArrays& out);

}  // namespace runmask
