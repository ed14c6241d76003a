#include "transpose_bits.h"

#include <algorithm>

#include "simd.h"
#include "turns.h"
#include "words.h"

namespace runmask {
namespace {

// Bit x of word y becomes bit y of word x: halves, quarters ... change places across the diagonal.
void transpose_square(uint64_t* words) {
  uint64_t low = 0x00000000FFFFFFFFu;
  for (size_t size = 32; size != 0; size /= 2, low ^= low << size) {
    for (size_t top = 0; top < 64; top += 2 * size) {
      for (size_t y = top; y < top + size; ++y) {
        const uint64_t differ = ((words[y] >> size) ^ words[y + size]) & low;
        words[y] ^= differ << size;
        words[y + size] ^= differ;
      }
    }
  }
}

// Bits in a row, as they come, to runs.
template <class Index>
class BitWriter {
 public:
  BitWriter(size_t total, Array<Index>& starts, Array<Index>& lengths)
      : total_(total), starts_(starts), lengths_(lengths) {}

  // The lowest `count` bits of the word, 1 to 64; those above are zero.
  void add(uint64_t word, size_t count) {
    words_[full_] |= word << used_;
    used_ += count;
    if (used_ < 64) return;
    used_ -= 64;
    if (++full_ == kWords) flush();
    words_[full_] = used_ != 0 ? word >> (count - used_) : 0;
  }

  Result finish() {
    if (used_ != 0) ++full_;
    used_ = 0;
    words_[full_++] = 0;  // closes a run that ends with the last bit
    flush();
    return {failed_ ? Status::no_memory : Status::ok, 0};
  }

 private:
  static constexpr size_t kWords = 256;

  // Hands the full words over.
  void flush() {
    uint16_t positions[(kWords + 2) * kWordPixels];
    bool inside = starts_.size() > lengths_.size();
    const size_t found = kernel_.turns(words_, full_, &inside, positions);
    // If all pixels are like those seen so far, the arrays grow once.
    const size_t seen = base_ + full_ * kWordPixels;
    const size_t extra = found / 2 + 1;
    const auto expected =
        static_cast<size_t>(1.1 * static_cast<double>(starts_.size() + extra) *
                            static_cast<double>(total_) / static_cast<double>(seen));
    failed_ |= !starts_.reserve_more(extra, expected) || !lengths_.reserve_more(extra, expected);
    if (!failed_) append_turns(positions, found, base_, starts_, lengths_);
    base_ = seen;
    full_ = 0;
  }

  const Kernels& kernel_ = kernels();
  size_t total_;
  Array<Index>& starts_;
  Array<Index>& lengths_;
  size_t base_ = 0;  // pixels handed over
  size_t full_ = 0;
  size_t used_ = 0;  // bits of the word that is not full
  bool failed_ = false;
  uint64_t words_[kWords + 1] = {};
};

// All pixels as bits in a row, with a word more to read past the last.
template <class Index>
bool read_bits(Runs<Index> runs, size_t total, Array<uint64_t>& bits) {
  using Cursor = WordCursor<Index>;
  const size_t blocks = (total + Cursor::kPixels - 1) / Cursor::kPixels;
  if (!bits.reserve_more(blocks * Cursor::kWords + 2)) return false;
  const Kernels& kernel = kernels();
  Cursor cursor(runs, 0, total);
  for (size_t block = 0; block < blocks; ++block) {
    cursor.next(kernel, bits.data() + block * Cursor::kWords);
  }
  bits.set_size(blocks * Cursor::kWords + 2);
  bits[bits.size() - 2] = bits[bits.size() - 1] = 0;
  return true;
}

}  // namespace

template <class Index>
Result transpose_bits(Runs<Index> runs, size_t height, size_t width, Array<Index>& starts,
                      Array<Index>& lengths) {
  constexpr size_t kBand = 512;  // columns at a time: a cache line of each row
  const size_t blocks = (height + 63) / 64;
  Array<uint64_t> bits, squares;
  if (!read_bits(runs, height * width, bits) || !squares.reserve_more(blocks * kBand)) {
    return {Status::no_memory, 0};
  }
  BitWriter<Index> out(height * width, starts, lengths);
  for (size_t left = 0; left < width; left += kBand) {
    const size_t columns = std::min(kBand, width - left);
    for (size_t block = 0; block < blocks; ++block) {
      const size_t rows = std::min<size_t>(64, height - 64 * block);
      for (size_t x = 0; x < columns; x += 64) {
        uint64_t* square = squares.data() + (x / 64 * blocks + block) * 64;
        size_t at = 64 * block * width + left + x;
        for (size_t y = 0; y < rows; ++y, at += width) {
          const uint64_t* word = bits.data() + at / 64;
          square[y] = word[0] >> (at % 64) | word[1] << 1 << (63 - at % 64);
        }
        std::fill(square + rows, square + 64, 0);
        transpose_square(square);
      }
    }
    for (size_t x = 0; x < columns; ++x) {
      const uint64_t* column = squares.data() + x / 64 * blocks * 64 + x % 64;
      for (size_t y = 0; y < height; y += 64) {
        out.add(column[y], std::min<size_t>(64, height - y));
      }
    }
  }
  return out.finish();
}

template Result transpose_bits(Runs<int32_t>, size_t, size_t, Array<int32_t>&, Array<int32_t>&);
template Result transpose_bits(Runs<int64_t>, size_t, size_t, Array<int64_t>&, Array<int64_t>&);

}  // namespace runmask
