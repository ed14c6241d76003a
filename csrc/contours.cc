#include "contours.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "sides.h"
#include "threads.h"

namespace runmask {
namespace {

struct Point {
  int32_t x, y;
};

// Twice the area of a ring fits int64, the sums on the way may not: they wrap round, and back.
uint64_t product(int64_t a, int64_t b) {
  return static_cast<uint64_t>(a) * static_cast<uint64_t>(b);
}

// Writes corners on pixel edges.
class EdgeRing {
 public:
  static constexpr size_t kPointsPerSide = 2;

  explicit EdgeRing(Point* to) : to_(to) {}

  void begin(const Side& first) {
    twice_area_ = area_beside(first);
    *to_++ = {first.x(), first.top()};
    if (first.right()) *to_++ = {first.x(), first.bottom()};
  }

  void add(const Side& side) {
    *to_++ = {side.x(), side.first_y()};
    *to_++ = {side.x(), side.last_y()};
    twice_area_ += area_beside(side);
  }

  // Returns twice the area.
  int64_t end(const Side& first) {
    if (!first.right()) *to_++ = {first.x(), first.bottom()};
    return static_cast<int64_t>(twice_area_);
  }

  Point* to() const { return to_; }

 private:
  static uint64_t area_beside(const Side& side) {
    return 2 * product(side.x(), int64_t{side.last_y()} - side.first_y());
  }

  Point* to_;
  uint64_t twice_area_ = 0;
};

// Writes the centers of the pixels along the edge where the direction changes. The ring goes the
// other way round than cv2's, so it is turned at its end.
class CenterRing {
 public:
  static constexpr size_t kPointsPerSide = 4;

  explicit CenterRing(Point* to) : to_(to) {}

  void begin(const Side& first) {
    first_ = last_ = to_;
    direction_ = kNone;
    *last_ = {pixel_column(first), first.top()};
    if (first.right()) go_down_or_up(first);
    side_ = first;
  }

  void add(const Side& side) {
    go_across(side);
    go_down_or_up(side);
    side_ = side;
  }

  int64_t end(const Side& first) {
    go_across(first);
    if (!first.right()) go_down_or_up(first);
    const int64_t twice_area = close();
    to_ = last_ + 1;
    return twice_area;
  }

  Point* to() const { return to_; }

 private:
  enum Direction {
    kNone,
    kNorth,
    kSouth,
    kEast,
    kWest,
    kNorthEast,
    kNorthWest,
    kSouthEast,
    kSouthWest
  };

  // Pixels are on the set side of edges.
  static int32_t pixel_column(const Side& side) { return side.x() - side.right(); }

  void go_down_or_up(const Side& side) {
    const bool right = side.right();
    go({pixel_column(side), right ? side.bottom() - 1 : side.top()}, right ? kSouth : kNorth);
  }

  // From the last side along the horizontal edge to the next one. Where the ring turns left, at
  // either end, the pixel beside the next edge is a diagonal step away.
  void go_across(const Side& side) {
    const int32_t y = side_.last_y();
    const int32_t from = side_.x();
    const int32_t to = side.x();
    const bool east = from < to;
    const int32_t row = east ? y : y - 1;
    go({east ? from : from - 1, row}, east ? kSouthEast : kNorthWest);
    go({east ? to - 1 : to, row}, east ? kEast : kWest);
    go({pixel_column(side), side.right() ? side.top() : side.bottom() - 1},
       east ? kNorthEast : kSouthWest);
  }

  // To a pixel that may be the one where the ring is already. A point that it goes straight through
  // is overwritten.
  void go(Point pixel, Direction direction) {
    const bool moves = (pixel.x != last_->x) | (pixel.y != last_->y);
    last_ += moves & (direction != direction_);
    *last_ = pixel;
    direction_ = moves ? direction : direction_;
  }

  // Joins the end to the first point, which goes if the ring passes straight through it, and turns
  // the ring round. Returns twice the area.
  int64_t close() {
    if (last_ == first_) return 0;
    --last_;  // the first point again
    const bool straight = last_ - first_ > 1 && direction_ == out_of(*first_, first_[1]);
    if (straight) {
      std::copy(first_ + 1, last_ + 1, first_);
      --last_;
    }
    uint64_t twice_area = 0;
    Point before = *last_;
    for (Point* point = first_; point <= last_; before = *point++) {
      twice_area += product(before.x, point->y) - product(point->x, before.y);
    }
    std::reverse(straight ? first_ : first_ + 1, last_ + 1);
    return static_cast<int64_t>(twice_area);
  }

  static Direction out_of(Point from, Point to) {
    constexpr Direction kBySigns[3][3] = {
        {kNorthWest, kNorth, kNorthEast}, {kWest, kNone, kEast}, {kSouthWest, kSouth, kSouthEast}};
    const auto sign = [](int32_t value) { return (value > 0) - (value < 0); };
    return kBySigns[sign(to.y - from.y) + 1][sign(to.x - from.x) + 1];
  }

  Point* to_;
  Point* first_ = nullptr;
  Point* last_ = nullptr;
  Direction direction_ = kNone;
  Side side_ = {};
};

// Follows the rings from their starts.
template <class Ring>
Result trace(Side* sides, size_t count, const Sweep* strips, size_t strip_count, Contours& out) {
  constexpr Result kNoMemory = {Status::no_memory, 0};
  if (!out.points.reserve_more(2 * Ring::kPointsPerSide * count + 1)) return kNoMemory;
  Point* const points = reinterpret_cast<Point*>(out.points.data());
  Ring ring(points);
  for (const Sweep* strip = strips; strip != strips + strip_count; ++strip) {
    for (const Start& start : strip->starts()) {
      Side& first = sides[start.side];
      if ((first.next & kTraced) != 0) continue;
      if (!out.offsets.reserve_more(2) || !out.parents.reserve_more(1) ||
          !out.holes.reserve_more(1) || !out.twice_areas.reserve_more(1)) {
        return kNoMemory;
      }
      const bool hole = first.right();
      int32_t parent = -1;
      if (start.before != kNone) {
        parent = static_cast<int32_t>(sides[strip->resolved(start.before)].next & ~kTraced);
        const auto around = static_cast<size_t>(parent);
        if ((out.holes[around] != 0) == hole) parent = out.parents[around];
      }
      out.offsets.append(ring.to() - points);
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
  }
  if (!out.offsets.reserve_more(1)) return kNoMemory;
  out.offsets.append(ring.to() - points);
  out.points.set_size(2 * static_cast<size_t>(ring.to() - points));
  return {};
}

template <class Index>
class Tracer {
 public:
  Tracer(Runs<Index> runs, int64_t width, Connectivity connectivity, int64_t max_corners)
      : runs_(runs),
        width_(width),
        connectivity_(connectivity),
        max_sides_(static_cast<size_t>(std::min<int64_t>(max_corners / 2, kMaxSides))) {}

  Result run(Outline outline, size_t strips, Contours& out) {
    const Result swept = sweep(strips);
    if (swept.status != Status::ok) return swept;
    size_t sides = 0;
    for (size_t i = 0; i < count_; ++i) sides += sweeps_[i].count();
    if (sides > max_sides_) return {Status::too_many_corners, 0};
    return outline == Outline::edge
               ? trace<EdgeRing>(sides_.data(), sides, sweeps_.get(), count_, out)
               : trace<CenterRing>(sides_.data(), sides, sweeps_.get(), count_, out);
  }

 private:
  static constexpr Result kNoMemory = {Status::no_memory, 0};

  Result sweep(size_t strips) {
    if (!cut(strips)) return kNoMemory;
    const size_t room = strips_[count_ - 1].first_side + strips_[count_ - 1].room;
    if (room > kMaxSides) return {Status::too_many_corners, 0};
    sweeps_.reset(new (std::nothrow) Sweep[count_]);
    if (sweeps_ == nullptr || !sides_.reserve_more(room)) return kNoMemory;
    in_parallel(count_, static_cast<int>(count_), 1, [&](size_t first, size_t last) {
      for (size_t i = first; i < last; ++i) {
        sweeps_[i].result =
            sweeps_[i].run(runs_, width_, strips_[i], connectivity_, sides_.data(), max_sides_);
      }
    });
    for (size_t i = 0; i < count_; ++i) {
      if (sweeps_[i].result.status != Status::ok) return sweeps_[i].result;
      if (i > 0 && !sweeps_[i].join(sweeps_[i - 1])) return kNoMemory;
    }
    return {};
  }

  // Into strips of about as many runs each; false if there was no memory.
  bool cut(size_t strips) {
    if (!strips_.reserve_more(strips)) return false;
    int64_t y0 = 0;
    size_t first_side = 0;
    for (size_t i = 1; i <= strips; ++i) {
      const int64_t y1 =
          i < strips ? runs_.starts[runs_.count / strips * i] / width_ : bottom() + 1;
      if (y1 <= y0) continue;
      strips_.append(strip(y0, y1, first_side));
      first_side += strips_[strips_.size() - 1].room;
      y0 = y1;
    }
    count_ = strips_.size();
    if (first_side <= kMaxSides || strips <= 1) return true;
    strips_.set_size(0);  // one has no stand-ins
    return cut(1);
  }

  // Of the last row with runs; below it is one without, where all sides end.
  int64_t bottom() const {
    return runs_.count == 0 ? 0 : (stop_of(runs_, runs_.count - 1) - 1) / width_ + 1;
  }

  // With room for the most sides and stand-ins that it can have, and one. A run has two sides in
  // each of its rows that differs from the row above: one row, or three for runs that cross row
  // ends. Room that is not written costs nothing.
  Strip strip(int64_t y0, int64_t y1, size_t first_side) const {
    const size_t count = runs_in(y0, y1);
    const size_t crossing = std::min(count, static_cast<size_t>(y1 - y0));
    const size_t above = y0 > 0 ? runs_in(y0 - 1, y0) : 0;
    const size_t in_row = std::min(std::max(count, above), static_cast<size_t>(width_ / 2 + 1));
    return {y0, y1, first_side, 2 * count + 4 * crossing + 2 * above + 1, 2 * in_row};
  }

  // At least as many as have pixels in rows [y0, y1).
  size_t runs_in(int64_t y0, int64_t y1) const {
    const auto first = first_run_ending_after(runs_, static_cast<size_t>(y0 * width_));
    const auto last = first_run_ending_after(runs_, static_cast<size_t>(y1 * width_));
    return std::min(last + 1, runs_.count) - first;
  }

  Runs<Index> runs_;
  int64_t width_;
  Connectivity connectivity_;
  size_t max_sides_;
  size_t count_ = 0;  // of strips
  Array<Strip> strips_;
  std::unique_ptr<Sweep[]> sweeps_;
  Array<Side> sides_;
};

}  // namespace

Result contours(const AnyRuns& any, int64_t width, Outline outline, Connectivity connectivity,
                int64_t max_corners, size_t strips, Contours& out) {
  return with_runs(any, [&](auto runs) {
    const size_t most = std::max<size_t>(runs.count, 1);
    return Tracer(runs, width, connectivity, max_corners).run(outline, std::min(strips, most), out);
  });
}

}  // namespace runmask
