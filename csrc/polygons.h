// The pixels of polygons, as runs. Several rings are one polygon by the even-odd rule: what an odd
// number of rings surrounds is inside, so a ring in a ring is a hole.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "geometry.h"
#include "status.h"

namespace runmask {

// Closed rings: ring i has the points [offsets[i], offsets[i + 1]), x before y; it is closed by an
// edge from its last point to its first.
struct Rings {
  const int64_t* points;
  const int64_t* offsets;
  size_t count;
};

// Coordinates of fill_centers(): this many to a pixel, at most 2^31 pixels away from 0.
inline constexpr int64_t kSubpixels = int64_t{1} << 20;

// The pixels whose centre is inside. Pixel (y, x) covers [x, x + 1] x [y, y + 1], so that its
// centre is at (x + 1/2, y + 1/2). Computed exactly; a centre on an edge is inside if it is on the
// left or the upper one, so that polygons that share an edge share no pixel and leave none out.
// O(points + rows crossed by edges), and sorting of the crossings of one row.
Result fill_centers(const Rings& rings, Size size, AnyArrays& out);

// The pixels of cv2.fillPoly() of OpenCV 4.10 to 5.0 without anti-aliasing: the inside, by its
// arithmetic of 16 binary places, and all pixels of its lines from point to point. Points are the
// centres of pixels, at most 2^30 away from 0; they may lie outside the image.
// O(points + rows and columns crossed by edges), and sorting of the crossings of one row.
Result fill_like_cv2(const Rings& rings, Size size, AnyArrays& out);

}  // namespace runmask
