// Dilation and erosion of a mask, on its runs.
//
// An element is a union of rectangles around one centre, so it is symmetric: a rectangle is one, a
// cross two, a disc a few. Outside the image nothing is set for a dilation and all for an erosion,
// so that a border neither grows nor eats, as with OpenCV's default border.
//
// Sources: shifts and unions of runs by doubling, after Breuel, "Binary morphology and related
// operations on run-length representations" (2008); nested rectangles are put together as
// Horner's scheme does with powers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "status.h"

namespace runmask {

// Pixels at most `across` columns and `down` rows from the centre.
struct Reach {
  int64_t across, down;
};

// A mask is morphed on its runs or, if it has many for its size, on packed bits, a band of rows at
// a time; the result is the same. The choice can be forced for tests.
enum class Route : int { automatic = 0, runs = 1, bits = 2 };

// `element` has at least one rectangle; `across` falls from each to the next and `down` rises.
// On runs: O(count * runs of the result * log down), memory O(runs of the result). On bits:
// O(count * pixels / 64 * log down), memory for a band of a few times `down` rows.
Result dilate(const AnyRuns& runs, int64_t height, int64_t width, const Reach* element,
              size_t count, Route route, AnyArrays& out);
Result erode(const AnyRuns& runs, int64_t height, int64_t width, const Reach* element, size_t count,
             Route route, AnyArrays& out);

}  // namespace runmask
