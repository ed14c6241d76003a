// A few rows of an image with Fine x Fine samples in each pixel, a bit for each, and how many of a
// pixel's samples are set.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "array.h"
#include "simd.h"

namespace runmask {

// Fine is 1 or 8: the samples of a row of a pixel are a bit or a byte.
template <size_t Fine>
class SampleRows {
 public:
  static constexpr size_t kFull = 64;  // what coverage() gives for a pixel with all samples set

  // What is set for certain, and what only in pixels of a mask.
  enum Plane : uint8_t { certain = 0, if_masked = 1 };

  [[nodiscard]] bool allocate(size_t rows, size_t width) {
    words_ = (width + kWordPixels - 1) / kWordPixels;
    const size_t size = rows * Fine * words_ * Fine;
    for (Array<uint64_t>& plane : planes_) {
      if (!plane.reserve_more(size)) return false;
      std::memset(plane.data(), 0, size * sizeof(uint64_t));
    }
    for (Array<Stretch>& known : known_) {
      if (!known.reserve_more(rows * Fine)) return false;
      known.set_size(rows * Fine);
    }
    start_over();
    if (!touched_.reserve_more(rows * words_)) return false;
    std::memset(touched_.data(), 0, rows * words_);
    return true;
  }

  // Sets samples [first, last], which are in the image, of a row of samples.
  void set(Plane plane, size_t row, size_t first, size_t last) {
    Stretch& known = known_[plane][row];
    const size_t end = last + 1;
    if (first >= known.first && end <= known.end) return;
    if (first > known.end || end < known.first) {
      fill(plane, row, first, last);
      if (end - first > known.end - known.first) known = {first, end};
      return;
    }
    if (first < known.first) fill(plane, row, first, known.first - 1);
    if (end > known.end) fill(plane, row, known.end, last);
    known = {std::min(first, known.first), std::max(end, known.end)};
  }

  // To be called when all coverage has been taken.
  void start_over() {
    for (Array<Stretch>& known : known_) std::fill(known.begin(), known.end(), Stretch{0, 0});
  }

  // Whether any sample of 64 pixels is set, or is if the mask has its pixel.
  bool any(size_t row, size_t word) const { return touched_[row * words_ + word] != 0; }
  bool any_if_masked(size_t row) const {
    const uint8_t* touched = touched_.data() + row * words_;
    return std::any_of(touched, touched + words_, [](uint8_t t) { return t & 1 << if_masked; });
  }

  // How many samples of each of 64 pixels are set, in parts of kFull; `mask` is those pixels of the
  // mask. All of them are cleared.
  void take_coverage(size_t row, size_t word, uint64_t mask, uint8_t* counts) {
    uint8_t& touched = touched_[row * words_ + word];
    uint64_t masks[Fine];
    if (touched & 1 << if_masked) expand(mask, masks);
    uint64_t sums[8] = {};
    for (size_t s = 0; s < Fine; ++s) {
      const size_t at = ((row * Fine + s) * words_ + word) * Fine;
      uint64_t* bits = planes_[certain].data() + at;
      if (touched & 1 << if_masked) {
        uint64_t* more = planes_[if_masked].data() + at;
        for (size_t i = 0; i < Fine; ++i) bits[i] |= more[i] & masks[i];
        std::memset(more, 0, Fine * sizeof *more);
      }
      if constexpr (Fine == 8) {
        for (size_t i = 0; i < 8; ++i) sums[i] += bits_of_bytes(bits[i]);
      } else {
        kernels().bytes_from_words(bits, 1, 0, kFull, counts);
      }
      std::memset(bits, 0, Fine * sizeof *bits);
    }
    if constexpr (Fine == 8) std::memcpy(counts, sums, sizeof sums);
    touched = 0;
  }

 private:
  static constexpr size_t kBits = kWordPixels * Fine;  // of a row of samples of 64 pixels

  // Samples [first, end) of a row that are known to be set, so that wide lines, whose sections lie
  // over one another, are not written again and again.
  struct Stretch {
    size_t first, end;
  };

  void fill(Plane plane, size_t row, size_t first, size_t last) {
    uint64_t* words = planes_[plane].data() + row * words_ * Fine;
    const uint64_t head = ~uint64_t{0} << (first % 64), tail = ~uint64_t{0} >> (63 - last % 64);
    if (first / 64 == last / 64) {
      words[first / 64] |= head & tail;
    } else {
      words[first / 64] |= head;
      std::fill(words + first / 64 + 1, words + last / 64, ~uint64_t{0});
      words[last / 64] |= tail;
    }
    uint8_t* touched = touched_.data() + row / Fine * words_;
    for (size_t w = first / kBits; w <= last / kBits; ++w) {
      touched[w] = static_cast<uint8_t>(touched[w] | 1 << plane);
    }
  }

  // The bits of 64 pixels for each of their samples.
  static void expand(uint64_t mask, uint64_t* masks) {
    if constexpr (Fine == 8) {
      kernels().bytes_from_words(&mask, 1, 0, 255, reinterpret_cast<uint8_t*>(masks));
    } else {
      masks[0] = mask;
    }
  }

  // The number of bits in each byte.
  static uint64_t bits_of_bytes(uint64_t x) {
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    return (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
  }

  size_t words_ = 0;  // of 64 pixels in a row
  Array<uint64_t> planes_[2];
  Array<Stretch> known_[2];
  Array<uint8_t> touched_;  // for each 64 pixels of a row a bit for each plane
};

}  // namespace runmask
