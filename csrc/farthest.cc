#include "farthest.h"

#include <algorithm>
#include <iterator>

namespace runmask {

class FarthestFinder::Search {
 public:
  Search(const FarthestFinder& finder, const Segment& segment, size_t first, size_t last)
      : finder_(finder), segment_(segment), twice_middle_(first + last - 1) {}

  void look_at(size_t place) {
    const double distance = segment_.distance(finder_.graph_.at(finder_.line_[place]));
    if (distance < found_.distance) return;
    if (distance == found_.distance && off_middle(place) >= off_middle(found_.place)) return;
    found_ = {distance, place};
  }

  Farthest found() const { return found_; }

 private:
  size_t off_middle(size_t place) const {
    return std::max(2 * place, twice_middle_) - std::min(2 * place, twice_middle_);
  }

  const FarthestFinder& finder_;
  const Segment& segment_;
  size_t twice_middle_;
  Farthest found_ = {-1.0, 0};
};

void FarthestFinder::prepare() {
  levels_.clear();
  std::vector<uint32_t> places, left, right;
  size_t hulls = line_.size() / kBlock;
  if (hulls < 2) return;
  const auto before = [this](uint32_t a, uint32_t b) { return line_[a] < line_[b]; };
  levels_.emplace_back();
  for (size_t n = 0; n < hulls; ++n) {
    places.clear();
    for (size_t i = 0; i < kBlock; ++i) places.push_back(static_cast<uint32_t>(n * kBlock + i));
    std::sort(places.begin(), places.end(), before);
    add_hull(places, levels_.back());
  }
  while ((hulls /= 2) > 1) {
    Level level;
    const Level& below = levels_.back();
    size_t begin = 0;
    for (size_t n = 0; n < hulls; ++n) {
      const auto corners = below.corners.begin();
      const auto first = corners + static_cast<ptrdiff_t>(begin);
      const auto middle = corners + static_cast<ptrdiff_t>(below.ends[2 * n]);
      const auto last = corners + static_cast<ptrdiff_t>(below.ends[2 * n + 1]);
      places.resize(static_cast<size_t>(last - first));
      std::merge(first, middle, middle, last, places.begin(), before);
      begin = below.ends[2 * n + 1];
      add_hull(places, level);
    }
    levels_.push_back(std::move(level));
  }
}

// Adds the corners among places, which are in raster order of their points, in that order: both
// sides of a monotone chain, that share its ends.
void FarthestFinder::add_hull(const std::vector<uint32_t>& places, Level& level) {
  const auto at = [this](uint32_t place) { return graph_.at(line_[place]); };
  for (const int side : {0, 1}) {
    std::vector<uint32_t>& corners = sides_[side];
    corners.clear();
    for (const uint32_t place : places) {
      while (corners.size() >= 2) {
        const int64_t turn = cross(at(corners[corners.size() - 2]), at(corners.back()), at(place));
        if (side == 0 ? turn > 0 : turn < 0) break;
        corners.pop_back();
      }
      corners.push_back(place);
    }
  }
  const auto before = [this](uint32_t a, uint32_t b) { return line_[a] < line_[b]; };
  std::merge(sides_[0].begin(), sides_[0].end(), sides_[1].begin() + 1, sides_[1].end() - 1,
             std::back_inserter(level.corners), before);
  level.ends.push_back(level.corners.size());
}

Farthest FarthestFinder::find(const Segment& segment, size_t first, size_t last) const {
  Search search(*this, segment, first, last);
  while (first < last) {
    // The largest hull that begins here and ends inside.
    size_t level = 0;
    while (level < levels_.size() && first % (kBlock << level) == 0 &&
           first + (kBlock << level) <= last &&
           first / (kBlock << level) < levels_[level].ends.size()) {
      ++level;
    }
    if (level == 0) {
      search.look_at(first++);
      continue;
    }
    const Level& hulls = levels_[--level];
    const size_t n = first / (kBlock << level);
    const size_t begin = n == 0 ? 0 : hulls.ends[n - 1];
    for (size_t i = begin; i < hulls.ends[n]; ++i) search.look_at(hulls.corners[i]);
    first += kBlock << level;
  }
  return search.found();
}

}  // namespace runmask
