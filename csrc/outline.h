// Rings drawn on an image as lines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "blend.h"
#include "picture.h"
#include "rings.h"
#include "status.h"

namespace runmask {

struct Line {
  double width;  // in pixels, at least 1
  bool smooth;   // 8 x 8 samples in each pixel, else one in its middle
  Colour colour;
};

// Draws rings on rows [top, bottom) of an image, in place. Points are corners of pixels or, if
// `through_centers`, stand for their centres; `mask` is what the rings were traced from.
//
// A sample is drawn if it is closer to a ring than half the width, and at just that distance if it
// is in the mask. A pixel with all samples drawn is blended with the colour as by overlay(), one
// with some with so much of the colour's alpha, halves up; each once. The bytes are the same for
// every number of threads and kernel set.
//
// O(segments + rows of samples that each goes through + words of 64 pixels drawn on); memory
// O(segments + width), however long a segment is.
Result outline(const FlatRings& rings, bool through_centers, const AnyRuns& mask, const Line& line,
               Target image, size_t width, Format format, size_t top, size_t bottom, int threads);

}  // namespace runmask
