// Runs as packed bits, a block of pixels at a time: what dense kernels work on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runs.h"
#include "simd.h"

namespace runmask {

// Walks pixels [first, last) of a mask in blocks of at most kPixels.
template <class Index>
class WordCursor {
 public:
  static constexpr size_t kPixels = 2048;
  static constexpr size_t kWords = kPixels / kWordPixels;

  WordCursor(Runs<Index> runs, size_t first, size_t last)
      : runs_(runs), run_(first_run_ending_after(runs, first)), at_(first), last_(last) {
    std::memset(toggles_, 0, sizeof toggles_);
  }

  size_t run() const { return run_; }
  size_t at() const { return at_; }

  // Passes over pixels that are all set, or all clear, by whole words.
  void skip(bool set) {
    const bool in_run = run_ < runs_.count && start(run_) <= at_;
    if (in_run != set) return;
    size_t end = last_;
    if (set) {
      end = std::min(end, stop(run_));
    } else if (run_ < runs_.count) {
      end = std::min(end, start(run_));
    }
    at_ += end == last_ ? end - at_ : (end - at_) / kWordPixels * kWordPixels;
    if (set && stop(run_) <= at_) ++run_;
  }

  // Goes on at pixel `at`, before which or with which all runs below `run` end.
  void seek(size_t run, size_t at) {
    run_ = run;
    at_ = at;
    if (run_ < runs_.count && stop(run_) <= at_) ++run_;
  }

  // The next block, of at most so many pixels, as words; pixels past it are zero bits. Returns its
  // size in pixels, 0 at the end.
  size_t next(const Kernels& kernels, uint64_t* words, size_t most = kPixels) {
    const size_t end = end_of_block(most);
    if (many(end)) return step(end, [&] { toggle(kernels, end, words); });
    std::memset(words, 0, kWords * sizeof *words);
    return step(end, [&] { set_bits(end, words); });
  }

  // The next whole block, united with the words.
  size_t unite_next(const Kernels& kernels, uint64_t* words) {
    const size_t end = end_of_block(kPixels);
    if (!many(end)) return step(end, [&] { set_bits(end, words); });
    uint64_t others[kWords];
    const size_t size = next(kernels, others);
    for (size_t w = 0; w < kWords; ++w) words[w] |= others[w];
    return size;
  }

 private:
  size_t start(size_t run) const { return static_cast<size_t>(runs_.starts[run]); }
  size_t stop(size_t run) const { return start(run) + static_cast<size_t>(runs_.lengths[run]); }

  size_t end_of_block(size_t most) const { return at_ + std::min({kPixels, most, last_ - at_}); }

  bool many(size_t end) const {
    const size_t ahead = run_ + kPixels / 64;
    return ahead < runs_.count && start(ahead) < end;
  }

  template <class Work>
  size_t step(size_t end, const Work& work) {
    const size_t size = end - at_;
    if (size != 0) work();
    at_ = end;
    return size;
  }

  // Few runs: set each one's bits.
  void set_bits(size_t end, uint64_t* words) {
    for (; run_ < runs_.count && start(run_) < end; ++run_) {
      const size_t from = std::max(start(run_), at_) - at_;
      const size_t to = std::min(stop(run_), end) - at_;
      const size_t first = from / 64;
      const size_t last = (to - 1) / 64;
      const uint64_t head = ~uint64_t{0} << (from % 64);
      const uint64_t tail = ~uint64_t{0} >> (63 - (to - 1) % 64);
      words[first] |= first == last ? head & tail : head;
      words[last] |= first == last ? head & tail : tail;
      for (size_t w = first + 1; w < last; ++w) words[w] = ~uint64_t{0};
      if (stop(run_) > end) return;  // goes on in the next block
    }
  }

  // Many runs: mark each turn with a byte, which needs no read and no branch, then take the parity.
  void toggle(const Kernels& kernels, size_t end, uint64_t* words) {
    const bool inside = start(run_) < at_;
    if (inside) {
      const size_t to = stop(run_);
      if (to > end) {  // cannot be: many runs start before `end`
        std::memset(words, 0, kWords * sizeof *words);
        set_bits(end, words);
        return;
      }
      toggles_[to - at_] = 0xFF;
      ++run_;
    }
    const Index base = static_cast<Index>(at_);
    size_t run = run_;
    for (; run < runs_.count && start(run) < end && stop(run) <= end; ++run) {
      const Index from = static_cast<Index>(runs_.starts[run] - base);
      toggles_[from] = 0xFF;
      toggles_[from + runs_.lengths[run]] = 0xFF;
    }
    if (run < runs_.count && start(run) < end) toggles_[start(run) - at_] = 0xFF;
    run_ = run;
    toggles_[end - at_] = 0;  // a run that ends with the block
    kernels.words_from_toggles(toggles_, kWords, inside, words);
    const size_t size = end - at_;
    if (size < kPixels && size % 64 != 0) words[size / 64] &= ~(~uint64_t{0} << (size % 64));
    for (size_t w = (size + 63) / 64; w < kWords; ++w) words[w] = 0;
  }

  Runs<Index> runs_;
  size_t run_;
  size_t at_;
  size_t last_;
  alignas(64) uint8_t toggles_[kPixels + 64];
};

}  // namespace runmask
