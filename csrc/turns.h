// Runs from the positions where a mask turns from clear to set and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "array.h"
#include "runs.h"

namespace runmask {

// Positions where the mask turns, in pairs, as runs. `base` is added to each start.
template <class Index>
inline void append_pairs(const uint16_t* positions, size_t pairs, size_t base, Array<Index>& starts,
                         Array<Index>& lengths) {
  Index* start = starts.end();
  Index* length = lengths.end();
  for (size_t i = 0; i < pairs; ++i) {
    uint32_t pair;
    std::memcpy(&pair, positions + 2 * i, sizeof pair);
    start[i] = static_cast<Index>(base + (pair & 0xFFFF));
    length[i] = static_cast<Index>((pair >> 16) - (pair & 0xFFFF));
  }
  starts.set_size(starts.size() + pairs);
  lengths.set_size(lengths.size() + pairs);
}

// While a run is open there is one start more than lengths.
template <class Index>
inline void append_turns(const uint16_t* positions, size_t found, size_t base, Array<Index>& starts,
                         Array<Index>& lengths) {
  if (found == 0) return;
  if (starts.size() > lengths.size()) {
    const auto open = static_cast<size_t>(starts[starts.size() - 1]);
    lengths.append(static_cast<Index>(base + positions[0] - open));
    ++positions;
    --found;
  }
  append_pairs(positions, found / 2, base, starts, lengths);
  if (found % 2 != 0) starts.append(static_cast<Index>(base + positions[found - 1]));
}

// The turns of runs that exist, as a sequence: start, stop, start, stop ...
template <class Index>
class TurnReader {
 public:
  TurnReader(Runs<Index> runs, Index total) : runs_(runs), total_(total) { seek(0, false); }

  Index next() const { return next_; }  // `total` when there are no more
  bool inside() const { return inside_; }
  size_t run() const { return run_; }

  void advance() {
    if (inside_) {
      seek(run_ + 1, false);
    } else {
      next_ = stop_;
      inside_ = true;
    }
  }

  // Goes on before a run, or inside it.
  void seek(size_t run, bool inside) {
    run_ = run;
    inside_ = inside;
    if (run < runs_.count) {
      stop_ = static_cast<Index>(runs_.starts[run] + runs_.lengths[run]);
      next_ = inside ? stop_ : runs_.starts[run];
    } else {
      next_ = stop_ = total_;
    }
  }

 private:
  Runs<Index> runs_;
  Index total_;
  size_t run_ = 0;
  bool inside_ = false;
  Index next_ = 0;
  Index stop_ = 0;
};

}  // namespace runmask
