// Colouring an image by a map of confidences of any resolution, in one pass.
#pragma once

#include <cstddef>
#include <cstdint>

#include "picture.h"
#include "status.h"

namespace runmask {

enum class Number : int { boolean, uint8, float16, float32, float64 };

// A map of numbers at any strides (in bytes). `low` means 0 and `low` + `span` means 1, what lies
// beyond is cut off; uint8 counts as parts of 255 first. Sides are 1 to 2**30 - 1.
struct Confidence {
  const uint8_t* values;
  Number number;
  size_t height, width;
  ptrdiff_t row, column;
  double low, span;
};

// The image, or a band of it: rows [top, top + height) of an image of `whole_height` rows.
struct Window {
  size_t height, width, top, whole_height;
};

// Whether and where a map has a NaN that a pixel of the image takes part of. O(pixels) at most.
Result find_nan(const Confidence& map, const Window& window, bool* found, size_t* row,
                size_t* column);

// Blends a colour over each pixel by Pillow's rule (samples of two bytes: by blend_wide's): that of
// the confidence at the pixel's centre, interpolated between the four around it, the map stretched
// over the image from edge to edge. `colours` are 256 of four bytes in the order of the image's
// channels, the alpha last. Pixels that take part of a NaN stay as they are. `to` is `from` or does
// not overlap it.
//
// All in integers from the confidences on (see heatmap_kernels.h): the bytes are the same for every
// kernel set and number of threads, and the index into the colours is at most one from that of real
// numbers. O(pixels); memory O(width of image and map).
Result heatmap(const Confidence& map, Source from, Target to, const Window& window, Format format,
               const uint8_t (*colours)[4], int threads);

}  // namespace runmask
