#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "thinning.h"

namespace runmask {
namespace {

// A queue that gives the least key first, and of equal keys the first that came; for keys that are
// never below the last it gave: a radix heap, as Ahuja, Mehlhorn, Orlin and Tarjan (1990) have it.
class RisingQueue {
 public:
  struct Item {
    uint64_t key;
    uint32_t point, turn;
  };

  void add(Item item) { buckets_[std::bit_width(item.key ^ last_)].push_back(item); }

  bool take(Item& item) {
    if (taken_ == buckets_[0].size() && !refill()) return false;
    item = buckets_[0][taken_++];
    return true;
  }

 private:
  bool refill() {
    buckets_[0].clear();
    taken_ = 0;
    const auto full = [](const std::vector<Item>& bucket) { return !bucket.empty(); };
    const auto bucket = std::find_if(std::begin(buckets_), std::end(buckets_), full);
    if (bucket == std::end(buckets_)) return false;
    const auto less = [](const Item& a, const Item& b) { return a.key < b.key; };
    last_ = std::min_element(bucket->begin(), bucket->end(), less)->key;
    for (const Item& item : *bucket) add(item);  // all to buckets before this one
    bucket->clear();
    return true;
  }

  std::vector<Item> buckets_[65];  // by the highest bit in which keys differ from the last
  size_t taken_ = 0;               // of the first
  uint64_t last_ = 0;
};

class Thinning {
 public:
  Thinning(RingGraph& graph, VertexGrid& grid, double tolerance)
      : graph_(graph),
        grid_(grid),
        turns_(graph.size(), 0),
        waiting_for_(graph.size(), RingGraph::kNone),
        first_waiting_(graph.size(), RingGraph::kNone),
        next_waiting_(graph.size(), RingGraph::kNone),
        waiting_before_(graph.size(), RingGraph::kNone) {
    const double limit = std::floor(2 * tolerance * tolerance);
    limit_ = limit < 0x1p63 ? static_cast<uint64_t>(limit) : uint64_t{1} << 63;
  }

  void run() {
    for (uint32_t v = 0; v < graph_.size(); ++v) weigh(v, 0);
    RisingQueue::Item item;
    while (queue_.take(item)) {
      if (turns_[item.point] == item.turn) try_to_drop(item.point, item.key);
    }
  }

 private:
  // By its area, or by that of the last point that went if that is larger. Among equals its turn
  // comes last: next to a point that just went others go first, which keeps stairs regular.
  void weigh(uint32_t v, uint64_t least) {
    if (graph_.is_fixed(v)) return;
    stop_waiting(v);
    const auto [a, b] = graph_.neighbours(v);
    const int64_t area = std::abs(cross(graph_.at(a), graph_.at(v), graph_.at(b)));
    const uint64_t key = std::max(static_cast<uint64_t>(area), least);
    ++turns_[v];
    if (key <= limit_) queue_.add({key, v, turns_[v]});
  }

  void try_to_drop(uint32_t v, uint64_t key) {
    const auto [a, b] = graph_.neighbours(v);
    // If they are joined they stay so until one of them goes, and then v is weighed again.
    if (graph_.are_joined(a, b)) return;
    const uint32_t other = point_in_triangle(graph_, grid_, a, v, b);
    if (other != RingGraph::kNone) {
      wait(v, other);
      return;
    }
    graph_.join(a, v, b, v);
    graph_.drop(v);
    grid_.remove(graph_.at(v));
    weigh(std::min(a, b), key);
    weigh(std::max(a, b), key);
    while (first_waiting_[v] != RingGraph::kNone) weigh(first_waiting_[v], key);
  }

  // Those that wait for a point are a list, linked both ways.
  void wait(uint32_t v, uint32_t other) {
    const uint32_t next = first_waiting_[other];
    waiting_for_[v] = other;
    waiting_before_[v] = RingGraph::kNone;
    next_waiting_[v] = next;
    if (next != RingGraph::kNone) waiting_before_[next] = v;
    first_waiting_[other] = v;
  }

  void stop_waiting(uint32_t v) {
    if (waiting_for_[v] == RingGraph::kNone) return;
    const uint32_t before = waiting_before_[v], next = next_waiting_[v];
    (before == RingGraph::kNone ? first_waiting_[waiting_for_[v]] : next_waiting_[before]) = next;
    if (next != RingGraph::kNone) waiting_before_[next] = before;
    waiting_for_[v] = RingGraph::kNone;
  }

  RingGraph& graph_;
  VertexGrid& grid_;
  uint64_t limit_;  // of twice the area
  RisingQueue queue_;
  std::vector<uint32_t> turns_;  // of the point's last item; all before are void
  std::vector<uint32_t> waiting_for_, first_waiting_, next_waiting_, waiting_before_;
};

}  // namespace

uint32_t point_in_triangle(const RingGraph& graph, const VertexGrid& grid, uint32_t a, uint32_t b,
                           uint32_t c) {
  const Spot corners[3] = {graph.at(a), graph.at(b), graph.at(c)};
  const int64_t area = cross(corners[0], corners[1], corners[2]);
  // Half a unit square holds no points but its corners.
  if (std::abs(area) == 1) return RingGraph::kNone;
  const int64_t sign = area < 0 ? -1 : 1;
  uint32_t found = RingGraph::kNone;
  const auto [left, right] = std::minmax({corners[0].x, corners[1].x, corners[2].x});
  const auto [top, bottom] = std::minmax({corners[0].y, corners[1].y, corners[2].y});
  const Spot low = {left, top}, high = {right, bottom};
  const auto test = [&](Spot p, uint32_t number) {
    if (p.x < low.x || p.x > high.x || p.y < low.y || p.y > high.y) return false;
    for (int i = 0; i < 3; ++i) {
      if (sign * cross(corners[i], corners[(i + 1) % 3], p) < 0) return false;
    }
    if (number == a || number == b || number == c) return false;
    found = number;
    return true;
  };
  constexpr int64_t kSmall = 16;
  if (right - left <= kSmall || bottom - top <= kSmall) {
    grid.any_in_box(low, high, test);
    return found;
  }
  // Long and thin ones lie near their longest side.
  const auto length = [&](int i) {
    const Spot p = corners[i], q = corners[(i + 1) % 3];
    return std::hypot(static_cast<double>(q.x - p.x), static_cast<double>(q.y - p.y));
  };
  int longest = 0;
  for (const int i : {1, 2}) {
    if (length(i) > length(longest)) longest = i;
  }
  const double height = std::abs(static_cast<double>(area)) / length(longest);
  grid.any_near(corners[longest], corners[(longest + 1) % 3],
                static_cast<int64_t>(std::ceil(height)) + 1, low, high, test);
  return found;
}

void thin_by_triangles(RingGraph& graph, VertexGrid& grid, double tolerance) {
  Thinning(graph, grid, tolerance).run();
}

}  // namespace runmask
