// Rings as one drawing: distinct points, and the lines between them, whoever uses them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "array.h"
#include "rings.h"
#include "status.h"
#include "vertex_grid.h"

namespace runmask {

// Pairs of numbers: a hash table with open addressing.
class PairSet {
 public:
  bool contains(uint32_t a, uint32_t b) const {
    return !slots_.empty() && slots_[slot_of(key(a, b))] != kFree;
  }
  void add(uint32_t a, uint32_t b);

 private:
  static constexpr uint64_t kFree = UINT64_MAX;

  static uint64_t key(uint32_t a, uint32_t b) {
    return a < b ? uint64_t{a} << 32 | b : uint64_t{b} << 32 | a;
  }
  // Of the key, or of a free place for it.
  size_t slot_of(uint64_t key) const;

  std::vector<uint64_t> slots_;  // a power of two
  size_t size_ = 0;
};

// Points are numbered in raster order. A point is fixed unless exactly two lines meet in it, which
// go on from one to the other; the free ones form chains between fixed ones, or closed ones.
class RingGraph {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Points that lie on level, upright and diagonal lines cut them. Throws std::bad_alloc.
  Result build(const FlatRings& rings);

  uint32_t size() const { return static_cast<uint32_t>(x_.size()); }
  Spot at(uint32_t v) const { return {x_[v], y_[v]}; }
  const std::vector<int32_t>& xs() const { return x_; }
  const std::vector<int32_t>& ys() const { return y_; }

  bool is_fixed(uint32_t v) const { return fixed_[v] != 0; }
  bool is_gone(uint32_t v) const { return gone_[v] != 0; }

  // The two points that lines join a free one to.
  std::pair<uint32_t, uint32_t> neighbours(uint32_t v) const {
    return {links_[2 * size_t{v}], links_[2 * size_t{v} + 1]};
  }
  // The next point of a chain.
  uint32_t beyond(uint32_t v, uint32_t from) const {
    return links_[2 * size_t{v} + (links_[2 * size_t{v}] == from ? 1 : 0)];
  }

  bool are_joined(uint32_t a, uint32_t b) const;

  // One line instead of all that leads from `a` by way of its neighbour `after_a` to `b` by way of
  // `before_b`. What lies between is to be dropped, point by point.
  void join(uint32_t a, uint32_t after_a, uint32_t b, uint32_t before_b);
  void drop(uint32_t v) { gone_[v] = 1; }

  // The rings with the points that are not gone.
  Result write(const FlatRings& rings, Array<int32_t>& points, Array<int64_t>& offsets);

 private:
  enum Family : int { kRows, kColumns, kFalling, kRising, kFamilies };

  // Points in the order in which lines of one direction meet them: line after line, and along each.
  // Without arrays for rows, where it is their own order, and where no line needs it.
  struct Order {
    std::vector<uint32_t> points, ranks;
    bool is_cut = false;                      // whether lines have points between their ends
    std::vector<uint32_t> kept, kept_before;  // of those that are not gone; how many before a rank
  };

  void number_points(const FlatRings& rings);
  void sort_along(Family family);
  void link(uint32_t a, uint32_t b);
  void fix_turns(const uint32_t* ring, size_t size);
  Family family_of(uint32_t a, uint32_t b) const;
  uint32_t rank_of(Family family, uint32_t v) const {
    return family == kRows ? v : orders_[family].ranks[v];
  }
  uint32_t point_at(Family family, uint32_t rank) const {
    return family == kRows ? rank : orders_[family].points[rank];
  }
  template <class Call>
  void for_each_line(const FlatRings& rings, const Call& call);
  template <class Call>
  void for_each_span(const uint32_t* ring, size_t size, const Call& call) const;
  void find_kept();

  int64_t left_ = 0, top_ = 0;   // coordinates are counted from here
  std::vector<int32_t> x_, y_;   // of each distinct point, as all below
  std::vector<uint32_t> links_;  // 2
  std::vector<uint8_t> fixed_, gone_;
  std::vector<uint32_t> numbers_;  // of the points of the rings
  Order orders_[kFamilies];
  PairSet joined_;  // fixed points that a line joins
};

}  // namespace runmask
