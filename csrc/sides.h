// The vertical edges of a mask, and the sweep down its rows that ties them into rings.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "array.h"
#include "components.h"
#include "rows.h"
#include "status.h"

namespace runmask {

inline constexpr uint32_t kNone = UINT32_MAX;
inline constexpr uint32_t kTraced = uint32_t{1} << 31;      // `next` is a ring then
inline constexpr size_t kMaxSides = (size_t{1} << 30) - 1;  // a side and two flags are 32 bits
inline constexpr uint32_t kEndOfRow = UINT32_MAX;           // a key behind all others

// A vertical edge between set and clear as long as it goes straight on, over one row or many. Rings
// go up left sides (clear to set) and down right sides; what is between two sides of a ring is one
// horizontal edge.
struct Side {
  uint32_t x2;      // 2 * x, and 1 for a right side
  int32_t ends[2];  // the lattice rows of its top and bottom
  uint32_t next;    // the side that follows in the ring, or kTraced + the ring

  int32_t x() const { return static_cast<int32_t>(x2 / 2); }
  bool right() const { return x2 % 2 != 0; }
  int32_t top() const { return ends[0]; }
  int32_t bottom() const { return ends[1]; }
  int32_t first_y() const { return ends[!right()]; }  // in the ring's direction
  int32_t last_y() const { return ends[right()]; }
};

// A side at whose top a ring may begin, and the side to the left of it in its first row.
struct Start {
  uint32_t side, before;
};

// Where a row turns from clear to set and back, and the sides that go through it there. Turns have
// keys, 2 * x and one bit: where two set pixels of two rows meet at a corner only, the order of
// their turns decides whether a ring keeps them apart or joins them. Apart, right sides come first
// in the bit; else left ones.
struct Turns {
  Array<uint32_t> keys;
  Array<uint32_t> sides;
  size_t size = 0;

  [[nodiscard]] bool reserve(size_t turns) {
    if (!keys.reserve_more(turns + 1) || !sides.reserve_more(turns + 1)) return false;
    clear();
    return true;
  }

  // Takes runs [first, last), which have pixels in the row.
  template <class Index>
  void read(Runs<Index> runs, size_t first, size_t last, int64_t row, int64_t width,
            uint32_t left_bit) {
    size = 2 * (last - first);
    uint32_t* const to = keys.data();
    const auto base = static_cast<Index>(row);
    const uint32_t right_bit = left_bit ^ 1;
    for (size_t i = first; i < last; ++i) {
      const auto start = static_cast<Index>(runs.starts[i] - base);
      to[2 * (i - first)] = 2 * static_cast<uint32_t>(start) + left_bit;
      to[2 * (i - first) + 1] = 2 * static_cast<uint32_t>(start + runs.lengths[i]) + right_bit;
    }
    // Only the ends can lie outside the row, and only they may not fit 32 bits.
    const int64_t x0 = std::max<int64_t>(start_of(runs, first) - row, 0);
    const int64_t x1 = std::min(stop_of(runs, last - 1) - row, width);
    to[0] = 2 * static_cast<uint32_t>(x0) + left_bit;
    to[size - 1] = 2 * static_cast<uint32_t>(x1) + right_bit;
    to[size] = kEndOfRow;
  }

  void clear() {
    size = 0;
    keys[0] = kEndOfRow;
  }

  bool same_as(const Turns& other) const {
    return size == other.size &&
           std::memcmp(keys.data(), other.keys.data(), size * sizeof(uint32_t)) == 0;
  }

  void swap(Turns& other) {
    keys.swap(other.keys);
    sides.swap(other.sides);
    std::swap(size, other.size);
  }
};

// Rows [y0, y1), the part of all sides that has room for those of the strip, and the most turns in
// one of its rows or in the row above.
struct Strip {
  int64_t y0, y1;
  size_t first_side, room, turns;
};

// Goes down a strip of rows and ties the sides together. Between two rows there is a horizontal
// edge wherever one is set and the other is not: in the merged turns of both, from every first to
// every second. Turns that both rows have cancel out: the side goes on.
//
// Sides that come into the strip from above have stand-ins, the first in its part of `sides`; they
// take what would be written to the sides themselves, which another strip owns.
class Sweep {
 public:
  Result result;  // of run(), for a thread to leave it

  template <class Index>
  Result run(Runs<Index> runs, int64_t width, const Strip& strip, Connectivity connectivity,
             Side* sides, size_t max_sides) {
    const size_t most = strip.turns;
    if (!above_.reserve(most) || !row_.reserve(most) || !ends_.reserve_more(2 * most + 1) ||
        !starts_.reserve_more(strip.room / 2 + 1)) {
      return {Status::no_memory, 0};
    }
    left_bit_ = connectivity == Connectivity::four;
    sides_ = sides;
    fresh_ = first_ = static_cast<uint32_t>(strip.first_side);
    if (strip.y0 > 0) stand_in(runs, width, strip.y0 - 1);

    RowCursor<Index> cursor(runs, width, strip.y0);
    RowBand band;
    int64_t y = strip.y0;  // the row below `above_`
    while (cursor.next(band) && band.y < strip.y1) {
      if (band.y != y) {
        row_.clear();
        step(y);
      }
      row_.read(runs, band.first, band.last, band.y * width, width, left_bit_);
      y = band.y + band.count;
      if (row_.same_as(above_)) continue;  // all sides go on
      step(band.y);
      if (count() > max_sides) return {Status::too_many_corners, 0};
    }
    if (y < strip.y1 && above_.size > 0) {
      row_.clear();
      step(y);
    }
    return {};
  }
  // Hands over to the sides that the stand-ins stand for: those that leave the strip above.
  // False if there was no memory.
  [[nodiscard]] bool join(const Sweep& above) {
    if (!real_.reserve_more(stand_ins_)) return false;
    const uint32_t* const open = above.above_.sides.data();
    for (uint32_t i = 0; i < stand_ins_; ++i) real_.append(above.resolved(open[i]));
    for (uint32_t i = 0; i < stand_ins_; ++i) {
      const Side& stand_in = sides_[first_ + i];
      const uint32_t side = real_[i];
      if (stand_in.ends[1] == kOpen) continue;
      sides_[side].ends[1] = stand_in.ends[1];
      if (stand_in.right()) {
        sides_[side].next = resolved(stand_in.next);
      } else {
        sides_[resolved(stand_in.next)].next = side;
      }
    }
    return true;
  }

  // The side itself, where a side is one of the stand-ins.
  uint32_t resolved(uint32_t side) const {
    return side - first_ < stand_ins_ ? real_[side - first_] : side;
  }

  size_t count() const { return fresh_ - first_ - stand_ins_; }
  const Array<Start>& starts() const { return starts_; }

 private:
  static constexpr int32_t kOpen = -1;  // the bottom of a stand-in that goes through the strip

  // The end of a horizontal edge: a side that begins here or that ended here.
  struct End {
    uint32_t bits;  // 4 * side, 2 for a right side, 1 if it ended
    uint32_t turn;  // in the row, if it begins here

    uint32_t side() const { return bits / 4; }
    bool ended() const { return bits % 2 != 0; }
    bool arrives() const {  // rings come down right sides from above and up left sides from below
      return (bits / 2 % 2 != 0) == ended();
    }
  };

  template <class Index>
  void stand_in(Runs<Index> runs, int64_t width, int64_t y) {
    RowCursor<Index> cursor(runs, width, y);
    RowBand band;
    if (!cursor.next(band) || band.y != y) return;
    above_.read(runs, band.first, band.last, y * width, width, left_bit_);
    stand_ins_ = static_cast<uint32_t>(above_.size);
    for (uint32_t i = 0; i < stand_ins_; ++i) {
      above_.sides[i] = fresh_;
      sides_[fresh_++] = {i % 2, {kOpen, kOpen}, kNone};
    }
  }

  // Goes on from the sides of `above_` to those of `row_`, row y, which becomes the next `above_`.
  void step(int64_t y) {
    tie(static_cast<int32_t>(y), merge());
    above_.swap(row_);
  }

  // Writes all ends of horizontal edges to `ends_`, in order. Which row turns next cannot be
  // foretold in dense masks, so there is no jump on it: what is not wanted is written where the
  // next is.
  size_t merge() {
    const uint32_t* const above_keys = above_.keys.data();
    const uint32_t* const above_sides = above_.sides.data();
    const uint32_t* const row_keys = row_.keys.data();
    uint32_t* const row_sides = row_.sides.data();
    Side* const sides = sides_;
    End* const ends = ends_.data();
    const uint32_t right_bit = left_bit_ ^ 1;
    const size_t turns = above_.size + row_.size;
    uint32_t fresh = fresh_;
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;
    while (i + j < turns) {
      const uint32_t key = std::min(above_keys[i], row_keys[j]);
      const bool in_above = above_keys[i] == key;
      const bool in_row = row_keys[j] == key;
      const uint32_t right = key % 2 == right_bit;
      const uint32_t side = in_above ? above_sides[i] : fresh;
      row_sides[j] = side;
      sides[fresh].x2 = key - key % 2 + right;
      ends[count] = {4 * side + 2 * right + in_above, static_cast<uint32_t>(j)};
      count += in_above != in_row;
      fresh += !in_above;
      i += in_above;
      j += in_row;
    }
    fresh_ = fresh;
    return count;
  }

  // Ties the sides at both ends of each horizontal edge of lattice row y.
  void tie(int32_t y, size_t count) {
    const End* const ends = ends_.data();
    Side* const sides = sides_;
    Start* start = starts_.end();
    for (size_t i = 0; i < count; i += 2) {
      const End left = ends[i];
      const End right = ends[i + 1];
      sides[left.side()].ends[left.ended()] = y;
      sides[right.side()].ends[right.ended()] = y;
      const uint32_t from = (left.arrives() ? left : right).side();
      const uint32_t to = (left.arrives() ? right : left).side();
      sides[from].next = to;
      if (to - first_ < stand_ins_) sides[to].next = from;  // for join()
      *start = {left.side(), left.turn == 0 ? kNone : row_.sides[left.turn - 1]};
      start += !left.ended() & !right.ended();
    }
    starts_.set_size(static_cast<size_t>(start - starts_.data()));
  }

  Side* sides_ = nullptr;  // in raster order of their tops
  uint32_t first_ = 0;     // of this strip
  uint32_t stand_ins_ = 0;
  uint32_t fresh_ = 0;  // the next side
  uint32_t left_bit_ = 0;
  Array<Start> starts_;  // in the order of their sides
  Turns above_, row_;
  Array<End> ends_;
  Array<uint32_t> real_;  // what the stand-ins stand for
};

}  // namespace runmask
