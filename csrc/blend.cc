#include "blend.h"

#include <algorithm>
#include <cstring>

#include "array.h"
#include "blend_kernels.h"
#include "blend_wide.h"
#include "simd.h"
#include "threads.h"
#include "words.h"

namespace runmask {
namespace {

// Over an opaque pixel Pillow's rule is (colour * alpha + byte * (255 - alpha)) / 255, rounded.
// The background's own alpha is then 255 and stays so, as if that channel's colour were 255.
BlendSide side_of(Colour colour, Format format) {
  const uint32_t alpha = colour.alpha;
  BlendSide side = {};
  side.touched = alpha != 0;
  std::memcpy(side.colour, colour.channel, sizeof side.colour);
  side.alpha = colour.alpha;
  side.scale = static_cast<uint16_t>(255 - alpha);
  const auto term = [&](size_t byte) {
    const size_t channel = byte % format.channels;
    const bool is_alpha = format.has_alpha() && channel == format.channels - 1;
    const uint32_t value = is_alpha ? 255 : colour.channel[channel];
    return static_cast<uint16_t>(value * alpha + 128);
  };
  for (size_t i = 0; i < 96; ++i) {
    side.even[i] = term(2 * i);
    side.odd[i] = term(2 * i + 1);
  }
  if (format.has_alpha() && side.touched) {
    for (uint32_t under = 0; under < 256; ++under) {
      side.weight[under] = static_cast<uint16_t>(weight_over(alpha, under));
    }
  }
  return side;
}

// A layer as kernels take it.
struct Prepared {
  AnyRuns runs;
  BlendPair bytes;  // for samples of one byte
  WidePair wide;    // and of two
  bool untouched(bool set) const { return !bytes.side[set].touched; }
};

Prepared prepare(const Layer& layer, Format format) {
  return {layer.runs,
          {{side_of(layer.outside, format), side_of(layer.inside, format)}},
          {{wide_side_of(layer.outside, format), wide_side_of(layer.inside, format)}}};
}

// Pixels [first, last) of the mask.
template <class Index>
void overlay_span(Runs<Index> runs, const Prepared& layer, PixelBlocks& blocks, Format format,
                  size_t begin, size_t first, size_t last) {
  const Kernels& kernel = kernels();
  const auto blend = kernel.blend->blend[format.channels - 1];
  const size_t bytes = format.pixel_bytes();
  const bool skips_clear = blocks.in_place() && layer.untouched(false);
  const bool skips_set = blocks.in_place() && layer.untouched(true);
  WordCursor<Index> cursor(runs, first, last);
  uint64_t words[WordCursor<Index>::kWords];
  for (;;) {
    if (skips_clear) cursor.skip(false);
    if (skips_set) cursor.skip(true);
    const size_t at = cursor.at() - begin;
    const size_t pixels = cursor.at() < last ? cursor.next(kernel, words, blocks.most(at)) : 0;
    if (pixels == 0) return;
    by_words(blocks.read(at, pixels), blocks.target(at), pixels, bytes,
             [&](const uint8_t* from, uint8_t* to, size_t word, size_t count) {
               if (format.depth == 1) {
                 blend(from, to, words + word, count, layer.bytes);
               } else {
                 blend_wide(from, to, words + word, count, format, layer.wide);
               }
             });
    blocks.commit(at, pixels);
  }
}

}  // namespace

Result overlay(const Layer* layers, size_t count, Source from, Target to, size_t width,
               Format format, size_t begin, size_t end, int threads) {
  constexpr size_t kLeastPixels = size_t{1} << 19;   // less is not worth a thread
  constexpr size_t kSharedPixels = size_t{1} << 16;  // what stays in cache from layer to layer
  Array<Prepared> prepared;
  if (!prepared.reserve_more(count)) return {Status::no_memory, 0};
  for (size_t i = 0; i < count; ++i) prepared.append(prepare(layers[i], format));

  in_parallel(end - begin, threads, kLeastPixels, [&](size_t part_first, size_t part_last) {
    PixelBlocks first_blocks(from, to, width, format);
    PixelBlocks more_blocks({to.pixels, to.strides}, to, width, format);
    const size_t stop = begin + part_last;
    const size_t step = count == 1 ? stop : kSharedPixels;
    for (size_t at = begin + part_first; at < stop; at += std::min(step, stop - at)) {
      const size_t next = at + std::min(step, stop - at);
      for (size_t i = 0; i < count; ++i) {
        PixelBlocks& blocks = i == 0 ? first_blocks : more_blocks;
        with_runs(prepared[i].runs, [&](auto runs) {
          overlay_span(runs, prepared[i], blocks, format, begin, at, next);
        });
      }
    }
  });
  return {};
}

}  // namespace runmask
