// Runs from turns as they are found: one by one, or a block of packed bits at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "array.h"
#include "simd.h"
#include "turns.h"

namespace runmask {

// The turns of a result, one after the other.
template <class Index>
class TurnWriter {
 public:
  static constexpr size_t kMost = 2048;

  TurnWriter(Array<Index>& starts, Array<Index>& lengths) : starts_(starts), lengths_(lengths) {}

  bool inside() const { return inside_; }
  bool failed() const { return failed_; }

  void turn(Index at) {
    if (inside_) {
      lengths_.append(static_cast<Index>(at - starts_[starts_.size() - 1]));
    } else if (reserve(1)) {
      starts_.append(at);
    } else {
      return;
    }
    inside_ = !inside_;
  }

  // Words of at most kMost pixels; what comes before the pixel `base` has been given.
  void words(const Kernels& kernel, const uint64_t* words, size_t count, size_t base) {
    uint16_t positions[kMost + kWordPixels];
    bool inside = inside_;
    const size_t found = kernel.turns(words, count, &inside, positions);
    if (!reserve(found / 2 + 1)) return;
    append_turns(positions, found, base, starts_, lengths_);
    inside_ = inside;
  }

 private:
  bool reserve(size_t runs) {
    failed_ |= !starts_.reserve_more(runs) || !lengths_.reserve_more(runs);
    return !failed_;
  }

  Array<Index>& starts_;
  Array<Index>& lengths_;
  bool inside_ = false;
  bool failed_ = false;
};

}  // namespace runmask
