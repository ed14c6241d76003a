// Collecting canonical runs of any operation, in order of their starts.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "any.h"
#include "status.h"

namespace runmask {

// Spans are added in ascending order of their starts; those that overlap or touch become one run,
// empty ones are left out. When memory ends, the rest is dropped and finish() says so. The arrays
// have their sizes after finish().
template <class Index>
class RunWriter {
 public:
  RunWriter(Array<Index>& starts, Array<Index>& lengths)
      : starts_(starts), lengths_(lengths), size_(starts.size()) {
    look();
  }

  // Room for so many more runs at once: fewer checks and moves.
  void expect(size_t runs) {
    if (runs > capacity_ - size_) grow(runs);
  }

  void add(int64_t start, int64_t stop) {
    if (start >= stop) return;
    if (start <= stop_) {
      if (stop > stop_) lengthen(stop);
      return;
    }
    if (size_ == capacity_ && !grow(1)) return;
    start_at_[size_] = static_cast<Index>(start);
    length_at_[size_] = static_cast<Index>(stop - start);
    ++size_;
    stop_ = stop;
  }

  // Canonical runs of any width, moved by `shift`, without the first `front` pixels of the first
  // and the last `back` of the last, which leave some of each. At the speed of a copy.
  template <class In>
  [[gnu::always_inline]] void add_all(const In* starts, const In* lengths, size_t count,
                                      int64_t shift, int64_t front = 0, int64_t back = 0) {
    const auto by = static_cast<Modular>(shift);
    copy(count, front, back, [=](size_t i, Index& start, Index& length) {
      start = static_cast<Index>(static_cast<Modular>(starts[i]) + by);
      length = static_cast<Index>(lengths[i]);
    });
  }

  // The same mirrored: pixel p becomes pixel mirror - 1 - p, and the last run the first.
  template <class In>
  [[gnu::always_inline]] void add_all_mirrored(const In* starts, const In* lengths, size_t count,
                                               int64_t mirror, int64_t front = 0,
                                               int64_t back = 0) {
    const auto from = static_cast<Modular>(mirror);
    copy(count, back, front, [=, end = count - 1](size_t i, Index& start, Index& length) {
      const auto stop =
          static_cast<Modular>(starts[end - i]) + static_cast<Modular>(lengths[end - i]);
      start = static_cast<Index>(from - static_cast<Modular>(stop));
      length = static_cast<Index>(lengths[end - i]);
    });
  }

  // Whether memory has ended: what would go on for long can stop.
  bool failed() const { return failed_; }

  Result finish() {
    starts_.set_size(size_);
    lengths_.set_size(size_);
    return {failed_ ? Status::no_memory : Status::ok, 0};
  }

 private:
  using Modular = std::make_unsigned_t<Index>;  // as wide as what is stored: no wider sums
  static constexpr size_t kFew = 12;  // below, a loop over vectors takes longer to begin than to do

  // Has the next runs written, cuts pixels off at both ends and joins the first if it touches.
  template <class Write>
  [[gnu::always_inline]] void copy(size_t count, int64_t front, int64_t back, const Write& write) {
    expect(count);
    if (count == 0 || failed_) return;
    Index* __restrict start = start_at_ + size_;
    Index* __restrict length = length_at_ + size_;
    if (count < kFew) {
      for (size_t i = 0; i < count; ++i) {
        write(i, start[i], length[i]);
        std::atomic_signal_fence(std::memory_order_acq_rel);  // one by one, not in vectors
      }
    } else {
      for (size_t i = 0; i < count; ++i) write(i, start[i], length[i]);
    }
    start[0] = static_cast<Index>(start[0] + front);
    length[0] = static_cast<Index>(length[0] - front);
    length[count - 1] = static_cast<Index>(length[count - 1] - back);
    const int64_t stop = int64_t{start[count - 1]} + length[count - 1];
    if (start[0] <= stop_) {
      lengthen(int64_t{start[0]} + length[0]);
      --count;
      std::memmove(start, start + 1, count * sizeof(Index));
      std::memmove(length, length + 1, count * sizeof(Index));
    }
    size_ += count;
    stop_ = stop;
  }

  void lengthen(int64_t stop) {
    if (failed_) return;
    length_at_[size_ - 1] = static_cast<Index>(length_at_[size_ - 1] + (stop - stop_));
    stop_ = stop;
  }

  [[gnu::noinline]] bool grow(size_t runs) {
    starts_.set_size(size_);
    lengths_.set_size(size_);
    if (!starts_.reserve_more(runs) || !lengths_.reserve_more(runs)) failed_ = true;
    look();
    if (failed_) stop_ = std::numeric_limits<int64_t>::max();  // all that comes lies before it
    return !failed_;
  }

  void look() {
    start_at_ = starts_.data();
    length_at_ = lengths_.data();
    capacity_ = std::min(starts_.capacity(), lengths_.capacity());
  }

  Array<Index>& starts_;
  Array<Index>& lengths_;
  Index* start_at_ = nullptr;
  Index* length_at_ = nullptr;
  size_t size_;
  size_t capacity_ = 0;
  int64_t stop_ = -1;  // of the last run; none yet
  bool failed_ = false;
};

// Calls an operation with a writer of the width that `out` was given.
template <class Call>
Result write_runs(AnyArrays& out, const Call& call) {
  return with_arrays(out, [&](auto& starts, auto& lengths) {
    RunWriter writer(starts, lengths);
    call(writer);
    return writer.finish();
  });
}

}  // namespace runmask
