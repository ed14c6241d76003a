// Collecting canonical runs of any operation, in order of their starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "any.h"
#include "status.h"

namespace runmask {

// Spans are added in ascending order of their starts; those that overlap or touch become one run,
// empty ones are left out. When memory ends, the rest is dropped and finish() says so.
template <class Index>
class RunWriter {
 public:
  RunWriter(Array<Index>& starts, Array<Index>& lengths) : starts_(starts), lengths_(lengths) {}

  // Room for so many more runs at once: fewer checks and moves.
  void expect(size_t runs) {
    failed_ |= !starts_.reserve_more(runs) || !lengths_.reserve_more(runs);
  }

  void add(int64_t start, int64_t stop) {
    if (start >= stop) return;
    if (start <= stop_) {
      stop_ = stop > stop_ ? stop : stop_;
      return;
    }
    flush();
    start_ = start;
    stop_ = stop;
  }

  // Canonical runs of any width, moved by `shift`, at the speed of a copy.
  template <class In>
  void add_all(const In* starts, const In* lengths, size_t count, int64_t shift) {
    if (count == 0) return;
    add(starts[0] + shift, starts[0] + shift + lengths[0]);
    if (count == 1 || !make_room(count - 2)) return;
    Index* to_start = starts_.end();
    Index* to_length = lengths_.end();
    const auto by = static_cast<Modular>(shift);
    for (size_t i = 1; i < count - 1; ++i) {
      *to_start++ = static_cast<Index>(static_cast<Modular>(starts[i]) + by);
      *to_length++ = static_cast<Index>(lengths[i]);
    }
    added(count - 2, starts[count - 1] + shift, lengths[count - 1]);
  }

  // The same mirrored: pixel p becomes pixel mirror - 1 - p, and the last run the first.
  template <class In>
  void add_all_mirrored(const In* starts, const In* lengths, size_t count, int64_t mirror) {
    if (count == 0) return;
    const size_t end = count - 1;
    add(mirror - starts[end] - lengths[end], mirror - starts[end]);
    if (count == 1 || !make_room(count - 2)) return;
    Index* to_start = starts_.end();
    Index* to_length = lengths_.end();
    const auto from = static_cast<Modular>(mirror);
    for (size_t i = end - 1; i > 0; --i) {
      const auto stop = static_cast<Modular>(starts[i]) + static_cast<Modular>(lengths[i]);
      *to_start++ = static_cast<Index>(from - static_cast<Modular>(stop));
      *to_length++ = static_cast<Index>(lengths[i]);
    }
    added(count - 2, mirror - starts[0] - lengths[0], lengths[0]);
  }

  // Whether memory has ended: what would go on for long can stop.
  bool failed() const { return failed_; }

  Result finish() {
    flush();
    stop_ = -1;
    return {failed_ ? Status::no_memory : Status::ok, 0};
  }

 private:
  using Modular = std::make_unsigned_t<Index>;  // as wide as what is stored: no wider sums

  // Closes the open run and makes room for that many, which lie apart from it and each other.
  bool make_room(size_t runs) {
    flush();
    failed_ |= !starts_.reserve_more(runs) || !lengths_.reserve_more(runs);
    return !failed_;
  }

  // After so many were stored; one more is opened.
  void added(size_t runs, int64_t start, int64_t length) {
    starts_.set_size(starts_.size() + runs);
    lengths_.set_size(lengths_.size() + runs);
    start_ = start;
    stop_ = start + length;
  }

  void flush() {
    if (stop_ < 0) return;
    if (!starts_.reserve_more(1) || !lengths_.reserve_more(1)) {
      failed_ = true;
      return;
    }
    starts_.append(static_cast<Index>(start_));
    lengths_.append(static_cast<Index>(stop_ - start_));
  }

  Array<Index>& starts_;
  Array<Index>& lengths_;
  int64_t start_ = 0;
  int64_t stop_ = -1;  // none yet
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
