// Colouring an image by a mask, straight from its runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runs.h"

namespace runmask {

struct Rgba {
  uint8_t channel[4];
};

// Rows of `width` pixels of 3 or 4 bytes. Pixels of a row touch; rows may lie anywhere.
struct Source {
  const uint8_t* pixels;
  ptrdiff_t row_stride;
};
struct Target {
  uint8_t* pixels;
  ptrdiff_t row_stride;
};

// Lays `inside` over the pixels of the mask and `outside` over the others, to the bit as Pillow's
// alpha_composite does; a colour of alpha 0 leaves its side as it is. `to` is `from` or does not
// overlap it. The bytes are the same for every number of threads. O(pixels).
template <class Index>
void overlay(Runs<Index> runs, Source from, Target to, size_t height, size_t width, int channels,
             Rgba inside, Rgba outside, int threads);

}  // namespace runmask
