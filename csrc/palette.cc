#include "palette.h"

#include "blend.h"
#include "simd.h"

namespace runmask {

Palette::Palette(const uint8_t (*colours)[4], Format format) : format_(format) {
  for (size_t i = 0; i < 256; ++i) {
    const Colour colour = {{colours[i][0], colours[i][1], colours[i][2]}, colours[i][3]};
    wide_[i] = wide_side_of(colour, format);
    bytes_.alpha[i] = colour.alpha;
    bytes_.entry[i] = uint64_t{255u - colour.alpha} << 48;
    for (size_t c = 0; c < 3; ++c) {
      bytes_.plane[c][i] = colour.channel[c];
      bytes_.entry[i] |= uint64_t{colour.channel[c] * uint32_t{colour.alpha} + 128} << (16 * c);
    }
  }
}

void Palette::paint(const uint8_t* from, uint8_t* to, const uint8_t* indices, size_t count) const {
  if (format_.depth == 1) {
    kernels().heat->colour[format_.channels - 1](from, to, indices, count, bytes_);
  } else {
    blend_wide_each(from, to, indices, count, format_, wide_);
  }
}

}  // namespace runmask
