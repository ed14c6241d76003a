// The brush strokes of Label Studio: a picture of RGBA bytes, row by row, as the package
// @thi.ng/rle-pack compresses it, of which the alpha is the mask.
//
// Bits, highest first: the number of words (32), their size - 1 (5), four group sizes - 1 (4 each);
// then, until there are enough words: 1 if one word is repeated, else 0 (1), the group (2), how
// many words - 1 (the group's size), and the words. A word is a byte here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "array.h"
#include "status.h"

namespace runmask {

// Sets the pixels whose alpha is above `threshold`. Fails with bad_header if the head does not say
// 4 * total words of 8 bits, counts_past_end for more words than that, and cut_off; `at` is the
// byte. What follows the last word is padding. O(size): the picture is never made.
Result read_brush(const uint8_t* data, size_t size, int64_t total, unsigned threshold,
                  AnyArrays& out);

// Appends what Label Studio's own converter writes for a mask whose four channels are 0 or 255, to
// the bit. `total` is below 2**30. O(runs + total / 2**14).
Result write_brush(const AnyRuns& runs, int64_t total, Array<uint8_t>& out);

}  // namespace runmask
