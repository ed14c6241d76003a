// Set algebra of masks of one image, on their runs.
//
// Where runs are many the work leaves them for packed bits, a block of pixels at a time, and comes
// back: noise costs what its bits cost, and sparse masks what their runs cost, in one mask as well.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "status.h"

namespace runmask {

// A binary operation by its truth table: bit 2 * a + b says whether a pixel is set whose bits in
// the two masks are a and b.
enum class Operation : unsigned {
  both = 0b1000,
  either = 0b1110,
  first_only = 0b0100,
  one_of_both = 0b0110,
};

// O(runs) when sparse, O(pixels / 64 + runs) where dense. The masks have `total` pixels.
Result combine(const AnyRuns& a, const AnyRuns& b, Operation operation, int64_t total,
               AnyArrays& out);

// The pixels that are not set. O(runs).
Result complement(const AnyRuns& runs, int64_t total, AnyArrays& out);

// Pixels set in at least `least` of `count` masks; `least` is 1 or more. O(runs log count), or
// O(pixels / 64 * count + runs) where that is less.
Result at_least(const AnyRuns* masks, size_t count, size_t least, int64_t total, AnyArrays& out);

// The number of pixels p set in `a` for which p + shift is set in `b`. O(runs).
uint64_t overlap(const AnyRuns& a, const AnyRuns& b, int64_t shift = 0);

// overlap() of each of `rows` masks with each of `columns`, row after row; where their boxes do not
// meet no run is looked at again. False if there was no memory.
[[nodiscard]] bool overlaps(const AnyRuns* a, size_t rows, const AnyRuns* b, size_t columns,
                            int64_t width, int threads, uint64_t* out);

}  // namespace runmask
