// Colouring an image by masks, straight from their runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "picture.h"
#include "status.h"

namespace runmask {

// The colour in the order of the image's channels (grey: the first alone), and its alpha.
struct Colour {
  uint8_t channel[3];
  uint8_t alpha;
};

// What is laid over the pixels of a mask and over the others; alpha 0 leaves a side as it is.
struct Layer {
  AnyRuns runs;
  Colour inside, outside;
};

// Lays the layers over an image, or a band of rows of one, each over what those before it gave;
// with none there is nothing to write. The image's first pixel is pixel `begin` of the masks, its
// last one `end` - 1. `to` is `from` or does not overlap it.
//
// Samples of one byte are blended to the bit as Pillow's alpha_composite does, those of two bytes
// as the nearest to the exact quotient; see blend.cc and blend_wide.cc. The bytes are the same for
// every number of threads. O(pixels of the sides that are touched + runs) in place, else O(pixels).
Result overlay(const Layer* layers, size_t count, Source from, Target to, size_t width,
               Format format, size_t begin, size_t end, int threads);

}  // namespace runmask
