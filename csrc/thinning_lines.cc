#include <algorithm>
#include <cmath>
#include <utility>

#include "farthest.h"
#include "swept_area.h"
#include "thinning.h"

namespace runmask {
namespace {

class Thinning {
 public:
  Thinning(RingGraph& graph, VertexGrid& grid, double tolerance)
      : graph_(graph),
        grid_(grid),
        limit_(tolerance * tolerance),
        places_(graph.size(), 0),
        finder_(graph, line_) {}

  void run() {
    std::vector<uint8_t> seen(graph_.size(), 0);
    for (uint32_t v = 0; v < graph_.size(); ++v) {
      if (graph_.is_fixed(v) || seen[v] != 0) continue;
      find_line(v);
      for (const uint32_t point : line_) seen[point] = 1;
      if (thin_line() == Outcome::refused) {
        refused_.insert(refused_.end(), line_.begin(), line_.end());
        refused_ends_.push_back(refused_.size());
      }
    }
    // What stood in the way of a line may be gone by now.
    bool better = !refused_ends_.empty();
    for (int round = 1; better && round < kRounds; ++round) {
      better = false;
      size_t begin = 0;
      for (const size_t end : refused_ends_) {
        const auto first = refused_.begin();
        line_.assign(first + static_cast<ptrdiff_t>(begin), first + static_cast<ptrdiff_t>(end));
        begin = end;
        dropped_ = false;
        thin_line();
        better |= dropped_;
      }
    }
  }

 private:
  static constexpr int kRounds = 8;
  enum class Outcome { done, refused };

  // The chain of free points through a point, the first of it in raster order, with the fixed ones
  // where it ends; or if it is closed, from there around and back. In a direction that depends on
  // where points are alone.
  void find_line(uint32_t v) {
    const auto [a, b] = graph_.neighbours(v);
    line_ = {v};
    follow(v, std::min(a, b));
    if (line_.size() > 1 && line_.back() == v) return;
    std::reverse(line_.begin(), line_.end());
    follow(v, std::max(a, b));
    const auto ends = std::pair{line_.front(), line_[1]};
    if (ends > std::pair{line_.back(), line_[line_.size() - 2]}) {
      std::reverse(line_.begin(), line_.end());
    }
  }

  void follow(uint32_t from, uint32_t next) {
    const uint32_t first = from;
    line_.push_back(next);
    while (next != first && !graph_.is_fixed(next)) {
      from = std::exchange(next, graph_.beyond(next, from));
      line_.push_back(next);
    }
  }

  Outcome thin_line() {
    for (size_t i = 0; i + 1 < line_.size(); ++i) places_[line_[i]] = static_cast<uint32_t>(i);
    finder_.prepare();
    Outcome outcome = Outcome::done;
    const size_t last = line_.size() - 1;
    if (line_[0] == line_[last]) {
      split(0, last, farthest(0, last, 1, last).place);
    } else {
      parts_.push_back({0, last});
    }
    while (!parts_.empty()) {
      const auto [from, to] = parts_.back();
      parts_.pop_back();
      if (to - from < 2) continue;
      const Farthest point = farthest(from, to, from + 1, to);
      if (point.distance > limit_) {
        split(from, to, point.place);
      } else if (!shorten(from, to, point.distance)) {
        // Parts that are refused are cut where neither piece is small, so that few are to be tried.
        outcome = Outcome::refused;
        const size_t quarter = (to - from) / 4;
        split(from, to,
              farthest(from, to, from + std::max<size_t>(quarter, 1), to - quarter).place);
      }
    }
    return outcome;
  }

  void split(size_t from, size_t to, size_t at) {
    parts_.push_back({at, to});
    parts_.push_back({from, at});
  }

  // Of points [first, last), from the segment between two others.
  Farthest farthest(size_t from, size_t to, size_t first, size_t last) const {
    const Segment segment(graph_.at(line_[from]), graph_.at(line_[to]));
    return finder_.find(segment, first, last);
  }

  // Puts a segment in the place of a part of the line, if that does no harm.
  bool shorten(size_t from, size_t to, double distance) {
    kept_.clear();
    for (size_t i = from; i <= to; ++i) {
      if (!graph_.is_gone(line_[i])) kept_.push_back(line_[i]);
    }
    if (kept_.size() == 2) return true;
    if (graph_.are_joined(kept_.front(), kept_.back())) return false;
    if (sweeps_over_points(from, to, distance)) return false;
    for (size_t i = 1; i + 1 < kept_.size(); ++i) {
      graph_.drop(kept_[i]);
      grid_.remove(graph_.at(kept_[i]));
    }
    graph_.join(kept_.front(), kept_[1], kept_.back(), kept_[kept_.size() - 2]);
    dropped_ = true;
    return true;
  }

  bool sweeps_over_points(size_t from, size_t to, double distance) {
    if (kept_.size() == 3) {
      return point_in_triangle(graph_, grid_, kept_[0], kept_[1], kept_[2]) != RingGraph::kNone;
    }
    spots_.clear();
    for (const uint32_t v : kept_) spots_.push_back(graph_.at(v));
    swept_.set(spots_);
    const auto reach = static_cast<int64_t>(std::ceil(std::sqrt(distance))) + 1;
    const auto in_the_way = [&](Spot spot, uint32_t v) {
      if (v == kept_.front() || v == kept_.back()) return false;
      const size_t place = places_[v];
      if (place > from && place < to && line_[place] == v) return false;
      return swept_.contains(spot);
    };
    return grid_.any_near(spots_.front(), spots_.back(), reach, swept_.low(), swept_.high(),
                          in_the_way);
  }

  RingGraph& graph_;
  VertexGrid& grid_;
  double limit_;  // of the square of a distance
  std::vector<uint32_t> line_;
  std::vector<uint32_t> places_;  // of the points in the line, if they are in it
  FarthestFinder finder_;
  SweptArea swept_;
  std::vector<std::pair<size_t, size_t>> parts_;  // of the line, still to be seen
  std::vector<uint32_t> kept_;                    // of a part
  std::vector<Spot> spots_;                       // of those
  bool dropped_ = false;
  std::vector<uint32_t> refused_;  // lines of which parts could not be replaced, one after another
  std::vector<size_t> refused_ends_;
};

}  // namespace

void thin_by_lines(RingGraph& graph, VertexGrid& grid, double tolerance) {
  Thinning(graph, grid, tolerance).run();
}

}  // namespace runmask
