// Measures of rings that exist already, in the flat form that contours have.
#pragma once

#include <cstddef>
#include <cstdint>

#include "array.h"
#include "status.h"

namespace runmask {

// Closed rings: ring i has the points [offsets[i], offsets[i + 1]), x before y, at least one; it is
// closed by an edge from its last point to its first. The points of a ring may lie anywhere in
// int32, but span less than 2^31 in x and in y: products of distances then fit 63 bits.
struct FlatRings {
  const int32_t* points;
  const int64_t* offsets;
  size_t count;

  size_t point_count() const { return count == 0 ? 0 : static_cast<size_t>(offsets[count]); }
};

// Arrays of one item for each ring, or of so many as stated.
struct RingMeasures {
  int64_t* twice_areas;  // sums of x[i] * y[i + 1] - x[i + 1] * y[i]: exact, positive if clockwise
                         // on a screen, where y goes down
  double* perimeters;
  int32_t* boxes;     // 4: x0 y0 x1 y1 of the points
  double* centroids;  // 2: x y of the area; without area that of the line; without length the point
};

// All in one pass, O(points). Status::bad_point, with the ring, if twice its area does not fit.
Result measure_rings(const FlatRings& rings, const RingMeasures& out);

// Whether an odd number of rings surrounds each of `count` points, given as x y in parts of a pixel
// (polygons.h: kSubpixels), at most 2^52. Of points on an edge, those on a left or an upper one are
// inside. Upright edges cost O((edges + points) log edges) whatever they are, each other edge
// O(points between its ends in y).
Result contain_points(const FlatRings& rings, const int64_t* points, size_t count, uint8_t* inside);

// The convex hull of each ring as a ring: from its topmost, then leftmost point, clockwise on a
// screen, without points on straight lines; one point or two if there is no area. `points` and
// `offsets` are appended to. Status::bad_point as above. O(points log points of a ring).
//
// Source: the monotone chain of Andrew (1979).
Result convex_hulls(const FlatRings& rings, Array<int32_t>& points, Array<int64_t>& offsets);

// Arrays of one item for each ring, or of so many as stated.
struct RingRects {
  double* corners;  // 4 x 2: as cv2.boxPoints orders them
  double* centers;  // 2: x y
  double* sizes;    // 2: width along the angle, height across it
  double* angles;   // in degrees, -90 <= angle < 0, as cv2.minAreaRect of OpenCV 5
};

// The rectangle of the least area around each hull that convex_hulls() gave. One of its sides lies
// on a side of the hull; among equal ones it is the first. O(points).
//
// Source: the rotating calipers of Toussaint (1983).
Result min_area_rects(const FlatRings& hulls, const RingRects& out);

}  // namespace runmask
