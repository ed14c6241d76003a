// Connected components of a mask, found on its runs.
//
// What is labelled are row pieces (pieces.h). Parts are numbered from 0 in raster order of their
// first pixels, as cv2.connectedComponents and scipy.ndimage.label number them from 1. Images of
// fewer than 2^31 pieces.
//
// Source: the run-based scan of He, Chao and Suzuki (2008); statistics are gathered in the same
// scan, as Bailey and Johnston (2007) do. A row equal to the one above it inherits its labels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "status.h"

namespace runmask {

enum class Connectivity : int { four = 4, eight = 8 };

struct Components {
  Array<int32_t> labels;    // of each piece: the number of its part
  Array<int64_t> areas;     // of each part, as all below
  Array<int64_t> boxes;     // x0 y0 x1 y1, ends exclusive
  Array<double> centroids;  // x y; exact sums below 2^53
};

// Runs put together by part: those of part i are `runs` [bounds[2 * i], bounds[2 * i + 1]),
// canonical among themselves.
struct PartRuns {
  AnyArrays runs;
  Array<int64_t> bounds;
};

// Labels and measures all parts. Time O(pieces), all but; memory O(pieces).
Result components(const AnyRuns& runs, int64_t width, Connectivity connectivity, Components& out);

// The functions below take the labels of the same runs' pieces: each at least 0 and below `parts`.

// The pieces of the parts whose `keep` is not 0. O(pieces).
Result select(const AnyRuns& runs, int64_t width, const int32_t* labels, const uint8_t* keep,
              AnyArrays& out);

// All parts' runs, part by part. O(pieces + parts).
Result group(const AnyRuns& runs, int64_t width, const int32_t* labels, size_t parts,
             PartRuns& out);

// Writes 0 to each pixel outside the mask and 1 + its label to the others. O(pixels).
void paint_labels(const AnyRuns& runs, int64_t height, int64_t width, const int32_t* labels,
                  int32_t* pixels);

// The mask without its parts of fewer than `min_area` pixels. O(pieces).
Result remove_small(const AnyRuns& runs, int64_t width, Connectivity connectivity, int64_t min_area,
                    AnyArrays& out);

// The mask and its holes of at most `max_area` pixels: parts of the background that do not touch
// the image's border. `connectivity` is the mask's; the background has the other one.
// O(pieces of the background).
Result fill_holes(const AnyRuns& runs, int64_t height, int64_t width, Connectivity connectivity,
                  int64_t max_area, AnyArrays& out);

}  // namespace runmask
