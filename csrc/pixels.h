// Pixels to runs and back, on several threads. The result is the same for every number of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "status.h"

namespace runmask {

// As encode() of runs.h, into empty arrays. Each thread has rows of its own, whose runs are put
// together in the end: dense masks gain less than sparse ones.
Result encode(const uint8_t* pixels, size_t height, size_t width, int threads, AnyArrays& out);

// As decode() of runs.h.
void decode(const AnyRuns& runs, size_t width, size_t first, size_t last, uint8_t off, uint8_t on,
            int threads, uint8_t* out);

}  // namespace runmask
