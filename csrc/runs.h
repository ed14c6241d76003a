// Run-length masks over the flattened, row-major image.
//
// Canonical runs are sorted, disjoint, not touching and not empty; a run may cross row ends. All
// functions but read() take canonical runs inside the image and never check them again.
// `Index` is int32_t or int64_t: positions and counts of pixels of one image fit it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "array.h"
#include "status.h"

namespace runmask {

template <class Index>
struct Runs {
  const Index* starts = nullptr;
  const Index* lengths = nullptr;
  size_t count = 0;
};

enum class Policy : int {
  strict = 0,  // what lies outside the image is an error
  clip = 1,    // what lies outside the image is left out and counted
};

// What read() found on its way.
struct ReadReport {
  bool sorted = true;           // starts never decrease
  bool disjoint = true;         // no pixel is covered twice
  bool canonical = true;        // the runs were canonical as they came
  size_t empty = 0;             // runs of length 0
  size_t dropped = 0;           // clip: runs of which nothing is left
  size_t clipped = 0;           // clip: runs of which a part is left
  uint64_t clipped_pixels = 0;  // clip: pixels left out, at most UINT64_MAX
};

// Reads untrusted runs of an image of `total` pixels and appends their union, canonical.
// Every number is copied before it is judged, so a caller that changes its arrays meanwhile gets
// some mask or an error, nothing worse. O(count) when sorted, else O(count log count).
// (In, Index) is (int32_t, int32_t), (int64_t, int32_t) or (int64_t, int64_t).
template <class In, class Index>
Result read(const In* starts, const In* lengths, size_t count, Index total, Policy policy,
            Array<Index>& out_starts, Array<Index>& out_lengths, ReadReport& report);

// Whether untrusted runs are canonical already and inside an image of `total` pixels. O(count).
template <class Index>
bool is_canonical(Runs<Index> runs, Index total);

// Appends the runs of nonzero pixels to empty arrays. O(count). Where the width of the image is
// known, rows that are like the one above take less (pixels.cc).
template <class Index>
Result encode(const uint8_t* pixels, size_t count, Array<Index>& starts, Array<Index>& lengths,
              size_t width = 0);

// Writes pixels [first, last) to `out`, which has last - first bytes. O(runs + pixels). As above,
// the width can be told.
template <class Index>
void decode(Runs<Index> runs, size_t first, size_t last, uint8_t off, uint8_t on, uint8_t* out,
            size_t width = 0);

template <class Index>
uint64_t area(Runs<Index> runs);

// The smallest box that holds all runs, ends exclusive; all zero for no runs. O(runs).
struct Box {
  int64_t x0, y0, x1, y1;
};
template <class Index>
Box bounding_box(Runs<Index> runs, int64_t width);

// The first run with a pixel at `pixel` or after it. O(log runs).
template <class Index>
size_t first_run_ending_after(Runs<Index> runs, size_t pixel);

}  // namespace runmask
