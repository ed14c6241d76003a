// A mask as packed bits, row by row: what morphology on dense masks is made of.
//
// Each row lies between zero words, so that what is read beside it is background.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "array.h"
#include "simd.h"
#include "words.h"
#include "writer.h"

namespace runmask {

// Rows of bits of one width.
class Band {
 public:
  // False if there is no memory. The rows' content is not defined yet, but the words beside are.
  [[nodiscard]] bool resize(size_t rows, size_t width) {
    words_ = (width + 63) / 64;
    if (!bits_.reserve_more(rows * stride() + 1)) return false;
    bits_.set_size(rows * stride() + 1);
    std::fill(bits_.begin(), bits_.end(), 0);
    return true;
  }

  size_t words() const { return words_; }       // of one row
  size_t stride() const { return words_ + 1; }  // from a row to the next
  uint64_t* row(size_t y) { return bits_.data() + 1 + y * stride(); }

 private:
  Array<uint64_t> bits_;
  size_t words_ = 0;
};

// Cuts the flat image into rows.
template <class Index>
class RowReader {
 public:
  RowReader(Runs<Index> runs, size_t height, size_t width, bool inverted)
      : kernel_(kernels()),
        cursor_(runs, 0, height * width),
        width_(width),
        inverted_(inverted ? ~uint64_t{0} : 0) {}

  // Reads the next row.
  void next(uint64_t* row) {
    size_t left = width_;
    for (; left >= 64; left -= 64) *row++ = next_word() ^ inverted_;
    if (left > 0) *row = (next_bits(left) ^ inverted_) & ~(~uint64_t{0} << left);
  }

 private:
  uint64_t flat_word() {
    if (at_ == kWords) {
      cursor_.next(kernel_, block_);
      at_ = 0;
    }
    return block_[at_++];
  }

  uint64_t next_word() {
    const uint64_t word = flat_word();
    if (held_ == 0) return word;
    const uint64_t result = hold_ | word << held_;
    hold_ = word >> (64 - held_);
    return result;
  }

  // The next `count` bits (1 to 63), and more above them.
  uint64_t next_bits(size_t count) {
    if (held_ >= count) {
      const uint64_t result = hold_;
      hold_ >>= count;
      held_ -= count;
      return result;
    }
    const uint64_t word = flat_word();
    const uint64_t result = hold_ | word << held_;
    const size_t used = count - held_;
    hold_ = word >> used;
    held_ = 64 - used;
    return result;
  }

  static constexpr size_t kWords = WordCursor<Index>::kWords;
  const Kernels& kernel_;
  WordCursor<Index> cursor_;
  size_t width_;
  uint64_t inverted_;
  uint64_t block_[kWords];
  size_t at_ = kWords;
  uint64_t hold_ = 0;  // bits that the last row did not take, zero above them
  size_t held_ = 0;
};

// row |= row moved by 1 to `by` pixels both ways; `copy` is a row of the same band, for scratch.
inline void widen(uint64_t* row, uint64_t* copy, size_t words, int64_t by) {
  for (int64_t done = 0; done < by;) {
    // A longer step would need the pixels that the last one pushed over the row's end.
    const auto shift = static_cast<int>(std::min<int64_t>({done + 1, by - done, 63}));
    std::copy(row, row + words, copy);
    const uint64_t* from = copy;
    for (size_t w = 0; w < words; ++w) {
      row[w] = from[w] | from[w] << shift | *(from + w - 1) >> (64 - shift) | from[w] >> shift |
               from[w + 1] << (64 - shift);
    }
    done += shift;
  }
}

// Writes a row of bits as runs.
template <class Writer>
void write_row(const uint64_t* row, size_t width, int64_t first, bool inverted, Writer& writer) {
  const uint64_t flip = inverted ? ~uint64_t{0} : 0;
  uint64_t before = 0;  // the last pixel
  int64_t open = 0;
  const size_t words = (width + 63) / 64;
  for (size_t w = 0; w < words; ++w) {
    const uint64_t word = row[w] ^ flip;
    uint64_t turns = word ^ (word << 1 | before);
    if (w + 1 == words && width % 64 != 0) turns &= ~(~uint64_t{0} << (width % 64));
    bool inside = before != 0;
    before = word >> 63;
    for (; turns != 0; turns &= turns - 1) {
      const int64_t at = first + static_cast<int64_t>(64 * w) + std::countr_zero(turns);
      if (inside) {
        writer.add(open, at);
      } else {
        open = at;
      }
      inside = !inside;
    }
    before = inside;
  }
  if (before != 0) writer.add(open, first + static_cast<int64_t>(width));
}

}  // namespace runmask
