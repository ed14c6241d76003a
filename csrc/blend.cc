#include "blend.h"

#include <algorithm>
#include <cstring>

#include "simd.h"
#include "threads.h"
#include "words.h"

namespace runmask {
namespace {

// Over an opaque pixel Pillow's rule is (colour * alpha + byte * (255 - alpha)) / 255, rounded.
// The background's own alpha is then 255 and stays so, as if that channel's colour were 255.
BlendSide side_of(Rgba colour, int channels) {
  const uint32_t alpha = colour.channel[3];
  BlendSide side = {};
  side.touched = alpha != 0;
  std::memcpy(side.colour, colour.channel, 4);
  side.scale = static_cast<uint16_t>(255 - alpha);
  const auto term = [&](size_t byte) {
    const size_t channel = byte % static_cast<size_t>(channels);
    const uint32_t value = channel == 3 ? 255 : colour.channel[channel];
    return static_cast<uint16_t>(value * alpha + 128);
  };
  for (size_t i = 0; i < 96; ++i) {
    side.even[i] = term(2 * i);
    side.odd[i] = term(2 * i + 1);
  }
  if (channels == 4 && side.touched) {
    for (uint32_t under = 0; under < 256; ++under) {
      const uint32_t result = alpha * 255 + under * (255 - alpha);  // the alpha of both, times 255
      side.weight[under] = static_cast<uint16_t>(alpha * 255 * 255 * 128 / result);
    }
  }
  return side;
}

// Pixels [first, last) of a mask, laid over as many pixels that touch each other in memory.
template <class Index>
void overlay_span(Runs<Index> runs, size_t first, size_t last, const uint8_t* from, uint8_t* to,
                  size_t channels, const BlendPair& pair) {
  const Kernels& kernel = kernels();
  const auto blend = channels == 3 ? kernel.blend3 : kernel.blend4;
  WordCursor<Index> cursor(runs, first, last);
  uint64_t words[WordCursor<Index>::kWords];
  while (const size_t pixels = cursor.next(kernel, words)) {
    const size_t whole = pixels / kWordPixels;
    blend(from, to, words, whole, pair);
    from += whole * kWordPixels * channels;
    to += whole * kWordPixels * channels;
    if (const size_t rest = pixels % kWordPixels * channels) {  // the end of the span
      uint8_t word_of_pixels[4 * kWordPixels] = {};
      std::memcpy(word_of_pixels, from, rest);
      blend(word_of_pixels, word_of_pixels, words + whole, 1, pair);
      std::memcpy(to, word_of_pixels, rest);
    }
  }
}

}  // namespace

template <class Index>
void overlay(Runs<Index> runs, Source from, Target to, size_t height, size_t width, int channels,
             Rgba inside, Rgba outside, int threads) {
  constexpr size_t kLeastPixels = size_t{1} << 19;  // less is not worth a thread
  const BlendPair pair = {{side_of(outside, channels), side_of(inside, channels)}};
  const auto bytes = static_cast<size_t>(channels);
  const auto row = static_cast<ptrdiff_t>(width * bytes);
  if (from.row_stride == row && to.row_stride == row) {
    in_parallel(height * width, threads, kLeastPixels, [&](size_t first, size_t last) {
      overlay_span(runs, first, last, from.pixels + first * bytes, to.pixels + first * bytes, bytes,
                   pair);
    });
    return;
  }
  const size_t least_rows = kLeastPixels / std::max<size_t>(width, 1) + 1;
  in_parallel(height, threads, least_rows, [&](size_t first, size_t last) {
    for (size_t y = first; y < last; ++y) {
      overlay_span(runs, y * width, (y + 1) * width,
                   from.pixels + static_cast<ptrdiff_t>(y) * from.row_stride,
                   to.pixels + static_cast<ptrdiff_t>(y) * to.row_stride, bytes, pair);
    }
  });
}

template void overlay(Runs<int32_t>, Source, Target, size_t, size_t, int, Rgba, Rgba, int);
template void overlay(Runs<int64_t>, Source, Target, size_t, size_t, int, Rgba, Rgba, int);

}  // namespace runmask
