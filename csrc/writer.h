// Collecting canonical runs of any operation, in order of their starts.
#pragma once

#include <cstddef>
#include <cstdint>

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

  Result finish() {
    flush();
    stop_ = -1;
    return {failed_ ? Status::no_memory : Status::ok, 0};
  }

 private:
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
