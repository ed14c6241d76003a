// Enlarging and reducing masks.
#pragma once

#include "any.h"
#include "geometry.h"
#include "status.h"

namespace runmask {

// How rows are resampled; the result is the same. Anything but `measured` is for tests.
enum class ResizeRoute : int {
  measured = 0,  // by the density of each row
  runs = 1,      // the ends of runs are moved
  pixels = 2,    // the row is decoded, sampled and encoded
};

// Nearest neighbour: pixel (y, x) of the result is the mask's pixel
//
//   (floor((y + 1/2) * height / to.height), floor((x + 1/2) * width / to.width)),
//
// the one that holds its centre, or the lower right one of those that touch it. Computed exactly.
// A mask without pixels gives one that is not set. Rows that no row of the result looks at are
// passed over. O(rows that hold runs + runs of the rows looked at + runs of the result).
Result resize(const AnyRuns& runs, Size size, Size to, AnyArrays& out,
              ResizeRoute route = ResizeRoute::measured);

}  // namespace runmask
