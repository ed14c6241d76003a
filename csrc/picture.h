// Images in memory: 1 to 4 channels of one or two bytes a sample, at any strides.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace runmask {

struct Format {
  size_t channels;  // 1 grey, 2 grey and alpha, 3 colours, 4 colours and alpha
  size_t depth;     // bytes of a sample, 1 or 2
  bool has_alpha() const { return channels % 2 == 0; }
  size_t pixel_bytes() const { return channels * depth; }
};

// Strides in bytes, of any sign; where an image has one column or channel, theirs mean nothing.
struct Strides {
  ptrdiff_t row, pixel, sample;
  bool operator==(const Strides&) const = default;
};
struct Source {
  const uint8_t* pixels;
  Strides strides;
};
struct Target {
  uint8_t* pixels;
  Strides strides;
};

// Hands out the pixels of a source and takes those of a target, a block at a time, as if pixels
// touched each other: as they lie where they do, else through a buffer. Pixels are numbered row by
// row. `to` is `from` or does not overlap it.
class PixelBlocks {
 public:
  static constexpr size_t kPixels = 2048;

  PixelBlocks(Source from, Target to, size_t width, Format format)
      : from_(from),
        to_(to),
        width_(width),
        format_(format),
        in_place_(from.pixels == to.pixels && from.strides == to.strides),
        read_as_is_(pixels_touch(from.pixels, from.strides)),
        write_as_is_(pixels_touch(to.pixels, to.strides)),
        rows_touch_(read_as_is_ && write_as_is_ && rows_touch(from.strides) &&
                    rows_touch(to.strides)) {}

  bool in_place() const { return in_place_; }

  // How many pixels from `at` on can be asked for at once.
  size_t most(size_t at) const {
    if (rows_touch_) return kPixels;
    return std::min(kPixels, width_ - at % width_);
  }

  // Pixels [at, at + count), and where to write them; commit() when they are written.
  const uint8_t* read(size_t at, size_t count) {
    const uint8_t* pixels = from_.pixels + offset(at, from_.strides);
    if (read_as_is_) return pixels;
    each_piece(count, from_.strides, [&](size_t to, ptrdiff_t from, size_t size) {
      std::memcpy(buffer_ + to, pixels + from, size);
    });
    return buffer_;
  }
  uint8_t* target(size_t at) {
    return write_as_is_ ? to_.pixels + offset(at, to_.strides) : buffer_;
  }
  void commit(size_t at, size_t count) {
    if (write_as_is_) return;
    uint8_t* pixels = to_.pixels + offset(at, to_.strides);
    each_piece(count, to_.strides, [&](size_t from, ptrdiff_t to, size_t size) {
      std::memcpy(pixels + to, buffer_ + from, size);
    });
  }

 private:
  bool pixels_touch(const uint8_t* pixels, const Strides& strides) const {
    const auto depth = static_cast<ptrdiff_t>(format_.depth);
    const bool aligned =
        reinterpret_cast<uintptr_t>(pixels) % format_.depth == 0 && strides.row % depth == 0;
    return aligned &&
           (width_ <= 1 || strides.pixel == static_cast<ptrdiff_t>(format_.pixel_bytes())) &&
           (format_.channels == 1 || strides.sample == depth);
  }
  bool rows_touch(const Strides& strides) const {
    return strides.row == static_cast<ptrdiff_t>(width_ * format_.pixel_bytes());
  }
  ptrdiff_t offset(size_t at, const Strides& strides) const {
    const size_t y = at / width_;
    return static_cast<ptrdiff_t>(y) * strides.row +
           static_cast<ptrdiff_t>(at - y * width_) * strides.pixel;
  }

  // Calls move(place in the buffer, offset in the image, bytes) for what touches of `count` pixels:
  // whole pixels or single samples, of a size that is constant where it is called.
  template <class Move>
  void each_piece(size_t count, const Strides& strides, const Move& move) const {
    const bool whole =
        format_.channels == 1 || strides.sample == static_cast<ptrdiff_t>(format_.depth);
    const size_t size = whole ? format_.pixel_bytes() : format_.depth;
    const size_t pieces = whole ? 1 : format_.channels;
    for (size_t piece = 0; piece < pieces; ++piece) {
      const auto offset = static_cast<ptrdiff_t>(piece) * strides.sample;
      switch (size) {
        case 1:
          each_of_size<1>(count, piece, offset, strides.pixel, move);
          break;
        case 2:
          each_of_size<2>(count, piece * 2, offset, strides.pixel, move);
          break;
        case 3:
          each_of_size<3>(count, 0, offset, strides.pixel, move);
          break;
        case 4:
          each_of_size<4>(count, 0, offset, strides.pixel, move);
          break;
        case 6:
          each_of_size<6>(count, 0, offset, strides.pixel, move);
          break;
        default:
          each_of_size<8>(count, 0, offset, strides.pixel, move);
      }
    }
  }
  template <size_t Size, class Move>
  void each_of_size(size_t count, size_t place, ptrdiff_t offset, ptrdiff_t stride,
                    const Move& move) const {
    const size_t step = format_.pixel_bytes();
    for (size_t p = 0; p < count; ++p, place += step, offset += stride) move(place, offset, Size);
  }

  Source from_;
  Target to_;
  size_t width_;
  Format format_;
  bool in_place_, read_as_is_, write_as_is_, rows_touch_;
  alignas(64) uint8_t buffer_[kPixels * 8];
};

// Calls blend(from, to, word, count) for whole words of 64 pixels that touch each other, and for
// the rest of them through a copy.
template <class Blend>
void by_words(const uint8_t* from, uint8_t* to, size_t pixels, size_t pixel_bytes,
              const Blend& blend) {
  constexpr size_t kWord = 64;
  const size_t whole = pixels / kWord;
  if (whole != 0) blend(from, to, size_t{0}, whole);
  const size_t rest = pixels % kWord * pixel_bytes;
  if (rest == 0) return;
  alignas(64) uint8_t word[kWord * 8] = {};
  std::memcpy(word, from + whole * kWord * pixel_bytes, rest);
  blend(word, word, whole, size_t{1});
  std::memcpy(to + whole * kWord * pixel_bytes, word, rest);
}

}  // namespace runmask
