#include "contours.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "rows.h"

namespace runmask {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr uint32_t kTraced = uint32_t{1} << 31;  // `next` is a ring then
constexpr uint32_t kFar = UINT32_MAX;            // right of all columns

// A vertical edge between set and clear as long as it goes straight on, over one row or many. Rings
// go up left sides (clear to set) and down right sides; what is between two sides of a ring is one
// horizontal edge.
struct Side {
  uint32_t x2;          // 2 * x, and 1 for a right side
  int32_t top, bottom;  // of lattice rows: that of its first pixel, one past that of its last
  uint32_t next;        // the side that follows in the ring, or kTraced + the ring

  int32_t x() const { return static_cast<int32_t>(x2 / 2); }
  bool right() const { return x2 % 2 != 0; }
};

// A side at whose top a ring may begin, and the side to the left of it in its first row.
struct Start {
  uint32_t side, before;
};

// The columns where a row turns from clear to set and back, and the sides they belong to.
struct Turns {
  Array<uint32_t> x;
  Array<uint32_t> side;
  size_t size = 0;

  [[nodiscard]] bool reserve(size_t turns) {
    if (!x.reserve_more(turns + 1) || !side.reserve_more(turns + 1)) return false;
    x[0] = kFar;
    return true;
  }

  // Takes runs [first, last), which have pixels in the row.
  template <class Index>
  void read(Runs<Index> runs, size_t first, size_t last, int64_t row, int64_t width) {
    size = 2 * (last - first);
    uint32_t* const to = x.data();
    const auto base = static_cast<Index>(row);
    for (size_t i = first; i < last; ++i) {
      const auto start = static_cast<Index>(runs.starts[i] - base);
      to[2 * (i - first)] = static_cast<uint32_t>(start);
      to[2 * (i - first) + 1] = static_cast<uint32_t>(start + runs.lengths[i]);
    }
    // Only the ends can lie outside the row, and only they may not fit 32 bits.
    to[0] = static_cast<uint32_t>(std::max<int64_t>(start_of(runs, first) - row, 0));
    to[size - 1] = static_cast<uint32_t>(std::min(stop_of(runs, last - 1) - row, width));
    to[size] = kFar;
  }

  void clear() {
    size = 0;
    x[0] = kFar;
  }

  bool same_as(const Turns& other) const {
    return size == other.size &&
           std::memcmp(x.data(), other.x.data(), size * sizeof(uint32_t)) == 0;
  }

  void swap(Turns& other) {
    x.swap(other.x);
    side.swap(other.side);
    std::swap(size, other.size);
  }
};

// Goes down the rows and ties the sides together. Between two rows there is a horizontal edge
// wherever one is set and the other is not: in the merged turns of both, from every first to every
// second. Turns that both rows have cancel out: the side goes on.
class Sweep {
 public:
  Sweep(Connectivity connectivity, size_t max_sides)
      : four_(connectivity == Connectivity::four), max_sides_(max_sides) {}

  template <class Index>
  Result run(Runs<Index> runs, int64_t width) {
    const size_t most = 2 * std::min(runs.count, static_cast<size_t>(width / 2 + 1));
    if (!above_.reserve(most) || !row_.reserve(most)) return {Status::no_memory, 0};
    RowCursor<Index> cursor(runs, width);
    RowBand band;
    int64_t y = 0;  // the row below `above_`
    while (cursor.next(band)) {
      if (band.y != y) close(y);
      row_.read(runs, band.first, band.last, band.y * width, width);
      y = band.y + band.count;
      if (row_.same_as(above_)) continue;  // all sides go on
      if (!step(band.y)) return failure();
      above_.swap(row_);
    }
    close(y);
    return failed_ ? failure() : Result{};
  }

  Array<Side>& sides() { return sides_; }
  const Array<Start>& starts() const { return starts_; }

 private:
  Result failure() const {
    return {sides_.size() > max_sides_ ? Status::too_many_corners : Status::no_memory, 0};
  }

  // Ends all sides above row y.
  void close(int64_t y) {
    if (above_.size == 0) return;
    row_.clear();
    step(y);
    above_.swap(row_);
  }

  // From the sides of `above_` to those of `row_`, row y.
  bool step(int64_t y) {
    const size_t aboves = above_.size;
    const size_t belows = row_.size;
    if (!sides_.reserve_more(belows) || !starts_.reserve_more(belows / 2 + 1) ||
        sides_.size() > max_sides_) {
      failed_ = true;
      return false;
    }
    const uint32_t* const above_x = above_.x.data();
    const uint32_t* const above_side = above_.side.data();
    const uint32_t* const row_x = row_.x.data();
    uint32_t* const row_side = row_.side.data();
    Side* const sides = sides_.data();
    auto fresh = static_cast<uint32_t>(sides_.size());
    const auto top = static_cast<int32_t>(y);

    size_t i = 0;
    size_t j = 0;
    uint32_t held = kNone;      // the side at the left end of a horizontal edge,
    bool held_arrives = false;  // whether the ring comes from it,
    bool held_fresh = false;    // whether it begins here,
    uint32_t before = kNone;    // and what is to the left of it in the row
    while (i < aboves || j < belows) {
      const uint32_t x = above_x[i];
      bool from_above = x < row_x[j];
      if (x == row_x[j]) {
        if ((i ^ j) % 2 == 0) {
          row_side[j++] = above_side[i++];
          continue;
        }
        // Two set pixels meet at a corner only: the order decides whether the ring keeps them
        // apart or joins them.
        from_above = (i % 2 != 0) == four_;
      }
      uint32_t side;
      bool arrives;  // rings come down right sides from above and up left sides from below
      if (from_above) {
        side = above_side[i];
        sides[side].bottom = top;
        arrives = i % 2 != 0;
        ++i;
      } else {
        side = fresh++;
        sides[side].x2 = 2 * row_x[j] + static_cast<uint32_t>(j % 2);
        sides[side].top = top;
        row_side[j] = side;
        arrives = j % 2 == 0;
        ++j;
      }
      if (held == kNone) {
        held = side;
        held_arrives = arrives;
        held_fresh = !from_above;
        before = !from_above && j > 1 ? row_side[j - 2] : kNone;
        continue;
      }
      if (held_arrives) {
        sides[held].next = side;
      } else {
        sides[side].next = held;
      }
      if (held_fresh && !from_above) starts_.append({held, before});
      held = kNone;
    }
    sides_.set_size(fresh);
    return true;
  }

  bool four_;
  size_t max_sides_;
  Array<Side> sides_;    // in raster order of their tops
  Array<Start> starts_;  // in the same order
  Turns above_, row_;
  bool failed_ = false;
};

// Writes corners on pixel edges.
class EdgeRing {
 public:
  static constexpr size_t kPointsPerSide = 2;

  explicit EdgeRing(int32_t* to) : to_(to) {}

  void begin(const Side& side) {
    point(side.x(), side.top);
    if (side.right()) point(side.x(), side.bottom);
    add_area(side);
  }

  void add(const Side& side) {
    const bool right = side.right();
    point(side.x(), right ? side.top : side.bottom);
    point(side.x(), right ? side.bottom : side.top);
    add_area(side);
  }

  // `side` is the one that begin() was given. Returns twice the area.
  int64_t end(const Side& side) {
    if (!side.right()) point(side.x(), side.bottom);
    return std::exchange(twice_area_, 0);
  }

  int32_t* to() const { return to_; }

 private:
  void point(int32_t x, int32_t y) {
    to_[0] = x;
    to_[1] = y;
    to_ += 2;
  }

  void add_area(const Side& side) {
    const int64_t part = 2 * int64_t{side.x()} * (int64_t{side.bottom} - side.top);
    twice_area_ += side.right() ? part : -part;
  }

  int32_t* to_;
  int64_t twice_area_ = 0;
};

// Writes the centers of the pixels along the edge where the direction changes. The ring goes the
// other way round than cv2's, so it is turned at its end.
class CenterRing {
 public:
  static constexpr size_t kPointsPerSide = 4;

  explicit CenterRing(int32_t* to) : first_(to), to_(to) {}

  void begin(const Side& side) {
    first_ = to_;
    direction_ = kNoDirection;
    if (side.right()) {
      pixel(side.x() - 1, side.top);
      pixel(side.x() - 1, side.bottom - 1);
    } else {
      pixel(side.x(), side.top);
    }
    last_ = side;
  }

  void add(const Side& side) {
    step_to(side);
    if (side.right()) {
      pixel(side.x() - 1, side.top);
      pixel(side.x() - 1, side.bottom - 1);
    } else {
      pixel(side.x(), side.bottom - 1);
      pixel(side.x(), side.top);
    }
    last_ = side;
  }

  int64_t end(const Side& side) {
    step_to(side);
    if (!side.right()) pixel(side.x(), side.bottom - 1);
    close();
    return turn();
  }

  int32_t* to() const { return to_; }

 private:
  static constexpr int32_t kNoDirection = 9;

  // Along the horizontal edge between two sides: a set pixel is below it if it goes to the right.
  void step_to(const Side& side) {
    const int32_t y = last_.right() ? last_.bottom : last_.top;
    const int32_t from = last_.x();
    const int32_t to = side.x();
    if (from < to) {
      pixel(from, y);
      pixel(to - 1, y);
    } else {
      pixel(from - 1, y - 1);
      pixel(to, y - 1);
    }
  }

  static int32_t sign(int32_t value) { return (value > 0) - (value < 0); }

  void pixel(int32_t x, int32_t y) {
    if (to_ != first_) {
      const int32_t direction = 3 * sign(y - to_[-1]) + sign(x - to_[-2]);
      if (direction == 0) return;
      if (direction == direction_) to_ -= 2;
      direction_ = direction;
    }
    to_[0] = x;
    to_[1] = y;
    to_ += 2;
  }

  // Joins the ring's end to its first point, which goes if the ring passes straight through it.
  void close() {
    pixel(first_[0], first_[1]);
    if (to_ - first_ == 2) return;
    to_ -= 2;  // the first point again
    const int32_t direction = 3 * sign(first_[3] - first_[1]) + sign(first_[2] - first_[0]);
    if (direction == direction_ && to_ - first_ > 2) {
      to_ -= 2;
      std::memmove(first_, first_ + 2, static_cast<size_t>(to_ - first_) * sizeof *to_);
      started_straight_ = true;
    }
  }

  // Reverses the points behind the start. Returns twice the area.
  int64_t turn() {
    int64_t twice_area = 0;
    const int32_t* before = to_ - 2;
    for (const int32_t* point = first_; point != to_; point += 2) {
      twice_area += int64_t{before[0]} * point[1] - int64_t{point[0]} * before[1];
      before = point;
    }
    int32_t* low = first_ + (std::exchange(started_straight_, false) ? 0 : 2);
    for (int32_t* high = to_ - 2; low < high; low += 2, high -= 2) {
      std::swap(low[0], high[0]);
      std::swap(low[1], high[1]);
    }
    return twice_area;
  }

  int32_t* first_;
  int32_t* to_;
  int32_t direction_ = kNoDirection;
  bool started_straight_ = false;
  Side last_ = {};
};

// Follows the rings from their starts.
template <class Ring>
Result trace(Array<Side>& sides, const Array<Start>& starts, Contours& out) {
  constexpr Result kNoMemory = {Status::no_memory, 0};
  if (!out.points.reserve_more(2 * Ring::kPointsPerSide * sides.size())) return kNoMemory;
  Ring ring(out.points.data());
  for (const Start& start : starts) {
    Side& first = sides[start.side];
    if ((first.next & kTraced) != 0) continue;
    if (!out.offsets.reserve_more(2) || !out.parents.reserve_more(1) ||
        !out.holes.reserve_more(1) || !out.twice_areas.reserve_more(1)) {
      return kNoMemory;
    }
    const bool hole = first.right();
    int32_t parent = -1;
    if (start.before != kNone) {
      parent = static_cast<int32_t>(sides[start.before].next & ~kTraced);
      const auto around = static_cast<size_t>(parent);
      if ((out.holes[around] != 0) == hole) parent = out.parents[around];
    }
    out.offsets.append((ring.to() - out.points.data()) / 2);
    out.parents.append(parent);
    const auto mark = static_cast<uint32_t>(out.holes.size()) | kTraced;
    out.holes.append(hole);

    uint32_t next = std::exchange(first.next, mark);
    ring.begin(first);
    while (next != start.side) {
      Side& side = sides[next];
      ring.add(side);
      next = std::exchange(side.next, mark);
    }
    out.twice_areas.append(ring.end(first));
  }
  if (!out.offsets.reserve_more(1)) return kNoMemory;
  out.points.set_size(static_cast<size_t>(ring.to() - out.points.data()));
  out.offsets.append(static_cast<int64_t>(out.points.size() / 2));
  return {};
}

}  // namespace

Result contours(const AnyRuns& any, int64_t width, Outline outline, Connectivity connectivity,
                int64_t max_corners, int /*threads*/, Contours& out) {
  const auto max_sides = static_cast<size_t>(std::min<int64_t>(max_corners / 2, kTraced - 1));
  Sweep sweep(connectivity, max_sides);
  const Result swept = with_runs(any, [&](auto runs) { return sweep.run(runs, width); });
  if (swept.status != Status::ok) return swept;
  return outline == Outline::edge ? trace<EdgeRing>(sweep.sides(), sweep.starts(), out)
                                  : trace<CenterRing>(sweep.sides(), sweep.starts(), out);
}

}  // namespace runmask
