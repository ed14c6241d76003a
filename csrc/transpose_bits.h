// The transposition of dense masks, in packed bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "array.h"
#include "runs.h"
#include "status.h"

namespace runmask {

// Appends the runs of the transposed image, by squares of 64 x 64 bits that are turned over in
// registers (Warren, Hacker's Delight, 7-3). O(pixels / 64 * 6 + runs); takes pixels / 8 bytes and
// 64 bytes for each row.
template <class Index>
Result transpose_bits(Runs<Index> runs, size_t height, size_t width, Array<Index>& starts,
                      Array<Index>& lengths);

}  // namespace runmask
