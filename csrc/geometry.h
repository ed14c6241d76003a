// Moving the pixels of whole masks: into windows and margins, mirrored, turned, side by side.
//
// Canonical runs in, canonical runs out. Images have at most 2^31 - 1 rows and columns; those
// without pixels are allowed everywhere. Memory follows the runs of the result.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "status.h"

namespace runmask {

struct Size {
  int64_t height, width;
};

// An image of another size in which pixel (y, x) of the mask stands at (y + top, x + left): what
// falls outside is left out, and pixels that the mask does not reach are `value`. A crop, a margin
// and a translation are all this. O(runs of the rows that stay + log runs), and O(rows) more where
// `value` is set left or right of the mask.
struct Placement {
  Size size;  // of the result
  int64_t top, left;
  bool value;
};
Result place(const AnyRuns& runs, Size size, const Placement& to, AnyArrays& out);

// Reverses the order of the rows, of the columns or of both. O(runs), and O(rows) more if runs that
// cross row ends must be cut.
Result flip(const AnyRuns& runs, Size size, bool rows, bool columns, AnyArrays& out);

// Exchanges rows and columns first if `transposed`, then flips as flip() does: with the three flags
// all eight orientations of an image. `out` is as wide as `runs`.
Result orient(const AnyRuns& runs, Size size, bool transposed, bool rows, bool columns,
              AnyArrays& out);

// One mask of several, of one width below each other or of one height beside each other.
// O(runs) below each other; O(runs + rows that hold runs * parts) beside each other.
struct Part {
  AnyRuns runs;
  Size size;
};
Result stack(const Part* parts, size_t count, AnyArrays& out);
Result join(const Part* parts, size_t count, AnyArrays& out);

// `down` times the mask below itself, and that `across` times beside itself. O(runs of the result).
Result tile(const AnyRuns& runs, Size size, int64_t down, int64_t across, AnyArrays& out);

}  // namespace runmask
