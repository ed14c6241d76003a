#include "swept_area.h"

#include <algorithm>
#include <utility>

namespace runmask {
namespace {

constexpr size_t kLayers = 64;
constexpr size_t kShort = 16;  // lines for which one bucket will do

}  // namespace

void SweptArea::set(const std::vector<Spot>& line) {
  from_ = line.front();
  to_ = line.back();
  low_corner_ = high_corner_ = from_;
  for (const Spot p : line) {
    low_corner_ = {std::min(low_corner_.x, p.x), std::min(low_corner_.y, p.y)};
    high_corner_ = {std::max(high_corner_.x, p.x), std::max(high_corner_.y, p.y)};
  }
  level_ = high_corner_.x - low_corner_.x >= high_corner_.y - low_corner_.y;
  low_ = along(low_corner_);
  const size_t buckets = line.size() <= kShort ? 1 : line.size();
  step_ = (along(high_corner_) - low_) / static_cast<int64_t>(buckets) + 1;
  tests_left_ = kLayers * line.size();

  // Each edge reaches into the buckets of the places that it passes, without its last.
  const auto for_each_edge = [&](const auto& call) {
    Spot p = to_;
    for (const Spot q : line) {
      const auto [first, last] = std::minmax({along(p), along(q)});
      if (first < last) call(Edge{p, q}, bucket_of(first), bucket_of(last - 1));
      p = q;
    }
  };
  ends_.assign(buckets + 1, 0);
  size_t total = 0;
  for_each_edge([&](const Edge&, size_t first, size_t last) { total += last - first + 1; });
  layered_ = total > tests_left_;
  if (layered_) return;
  for_each_edge([&](const Edge&, size_t first, size_t last) {
    for (size_t bucket = first; bucket <= last; ++bucket) ++ends_[bucket];
  });
  size_t begin = 0;
  for (size_t& end : ends_) begin += std::exchange(end, begin);
  edges_.resize(total);
  for_each_edge([&](const Edge& edge, size_t first, size_t last) {
    for (size_t bucket = first; bucket <= last; ++bucket) edges_[ends_[bucket]++] = edge;
  });
}

bool SweptArea::contains(Spot p) {
  if (p.x < low_corner_.x || p.x > high_corner_.x || p.y < low_corner_.y || p.y > high_corner_.y) {
    return false;
  }
  if (layered_) return true;
  if (cross(from_, to_, p) == 0) {
    const auto [left, right] = std::minmax(from_.x, to_.x);
    const auto [top, bottom] = std::minmax(from_.y, to_.y);
    if (p.x >= left && p.x <= right && p.y >= top && p.y <= bottom) return true;
  }
  const size_t bucket = bucket_of(along(p));
  const size_t first = bucket == 0 ? 0 : ends_[bucket - 1];
  tests_left_ += kLayers;
  if (tests_left_ < ends_[bucket] - first) return true;
  tests_left_ -= ends_[bucket] - first;
  // How often the curve goes around: where it passes on one side, this way less that way.
  int64_t turns = 0;
  for (size_t i = first; i < ends_[bucket]; ++i) {
    const Edge& edge = edges_[i];
    const bool forth = along(edge.from) <= along(p), back = along(edge.to) <= along(p);
    if (forth == back) continue;
    if ((cross(edge.from, edge.to, p) > 0) == forth) turns += forth ? 1 : -1;
  }
  return turns != 0;
}

}  // namespace runmask
