// Rows become columns: the mask of the transposed image.
#pragma once

#include <cstdint>

#include "any.h"
#include "status.h"

namespace runmask {

// How the work is done; the result is the same. Anything but `measured` is for tests.
enum class TransposeRoute : int {
  measured = 0,  // by the density of the runs
  runs = 1,      // rows are compared with the row above, on their runs
  bits = 2,      // squares of 64 x 64 packed bits
};

// Pixel (y, x) of a `height` x `width` mask becomes (x, y) of `out`, whose image is width x height.
// Columns in which nothing turns are handled together, so that few runs cost
// O(runs + columns + result), and O(runs log runs + result) in images much wider than that; many
// cost O(pixels / 64 + runs + result), in packed bits. No memory of the image's size is taken for
// few runs.
Result transpose(const AnyRuns& runs, int64_t height, int64_t width, AnyArrays& out,
                 TransposeRoute route = TransposeRoute::measured);

}  // namespace runmask
