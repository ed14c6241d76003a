// Blending into samples of two bytes.
//
// A colour and its alpha stand for 257 times themselves, so that 255 becomes 65535. Each sample of
// the result is the nearest integer to the exact quotient of the usual "over" rule, halves up:
//
//   result alpha    A = (65535 a + D (255 - a)) / 255
//   result colour   (c a 65535 + d D (255 - a)) / (65535 a + D (255 - a))
//
// for a colour c (times 257) of alpha a (0 to 255) over d of alpha D (65535 where there is none).
// A colour of alpha 0 leaves all four samples as they are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "picture.h"

namespace runmask {

struct Colour;

struct WideSide {
  bool touched;
  uint32_t alpha;
  uint32_t colour[4];  // times 257; in the place of an alpha channel 65535
};

struct WidePair {
  WideSide side[2];  // [0] outside the mask, [1] inside
};

WideSide wide_side_of(Colour colour, Format format);

// Blends 64 * count pixels of samples of two bytes; `to` is `from` or does not overlap it. The same
// plain code on every set of kernels.
void blend_wide(const uint8_t* from, uint8_t* to, const uint64_t* words, size_t count,
                Format format, const WidePair& pair);

// The same with a side of its own for each pixel, from a table of 256.
void blend_wide_each(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count,
                     Format format, const WideSide* sides);

}  // namespace runmask
