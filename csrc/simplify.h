// Fewer points on rings: all rings of one mask or several at once, and none comes to cross another.
#pragma once

#include "array.h"
#include "rings.h"
#include "status.h"

namespace runmask {

enum class Simplification : int { douglas_peucker = 0, visvalingam = 1 };

// The rings with some of their points, as many rings in the same order.
//
// Rings are taken as one drawing: a point or an edge that several rings use, in either direction,
// is there once, and stays or goes for all of them. So borders that are shared stay shared. Points
// that lie on the level, upright or diagonal edge of another ring count as points of that too.
// Where lines meet or end, points stay.
//
// A line loses points only where no other point lies in what it sweeps over, or on it. If no edges
// crossed before, none do after; what was inside a ring or outside it is so still, no ring turns
// over, and each that had an area keeps three points or more and an area. Edges that crossed before
// may cross after.
//
// douglas_peucker: what goes lies within the tolerance, in pixels, of the line that replaces it.
// visvalingam: while there are points whose triangle with both neighbours has at most an area of
// the tolerance squared, the point of the smallest goes.
//
// A ring begins where it did, or, if that point went, at its topmost, then leftmost point.
// The result is the same in whatever order rings come, and wherever they begin.
//
// For a tolerance of 0 the rings as they are. The tolerance is finite and not below 0.
// Status::bad_point if points span 2^31 or more; too_many if there are more than 2^32 - 2, or if so
// many rings share so much that more than kMostPoints would be there after.
// Memory O(points); time O(points log points) for what masks are like.
//
// Sources: Douglas and Peucker (1973), Visvalingam and Whyatt (1993).
inline constexpr size_t kMostPoints = size_t{1} << 28;

Result simplify(const FlatRings& rings, double tolerance, Simplification method,
                Array<int32_t>& points, Array<int64_t>& offsets);

}  // namespace runmask
