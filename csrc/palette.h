// 256 colours, and the blending of each pixel with the one of its index.
#pragma once

#include <cstddef>
#include <cstdint>

#include "blend_wide.h"
#include "heatmap_kernels.h"
#include "picture.h"

namespace runmask {

class Palette {
 public:
  // Of four bytes each, in the order of the image's channels, the alpha last.
  Palette(const uint8_t (*colours)[4], Format format);

  // Blends 64 * count pixels by the rules of overlay(); `to` is `from` or does not overlap it.
  void paint(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count) const;

 private:
  Format format_;
  HeatColours bytes_;   // for samples of one byte
  WideSide wide_[256];  // and of two
};

}  // namespace runmask
