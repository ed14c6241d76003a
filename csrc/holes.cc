// What is done with parts by their size and place: small ones removed, holes filled.
#include <algorithm>
#include <cstring>

#include "algebra.h"
#include "components.h"
#include "labeller.h"
#include "writer.h"

namespace runmask {
namespace {

struct Area {
  int64_t area;

  Area(int64_t, uint32_t x0, uint32_t x1) : area(x1 - x0) {}
  void add(int64_t, uint32_t x0, uint32_t x1) { area += x1 - x0; }
  void merge(const Area& part) { area += part.area; }
};

struct Extent {
  int64_t area, y0, y1;
  uint32_t x0, x1;

  Extent(int64_t y, uint32_t from, uint32_t to)
      : area(to - from), y0(y), y1(y + 1), x0(from), x1(to) {}
  void add(int64_t y, uint32_t from, uint32_t to) {
    area += to - from;
    y1 = y + 1;
    x0 = std::min(x0, from);
    x1 = std::max(x1, to);
  }
  void merge(const Extent& part) {
    area += part.area;
    y0 = std::min(y0, part.y0);
    y1 = std::max(y1, part.y1);
    x0 = std::min(x0, part.x0);
    x1 = std::max(x1, part.x1);
  }
};

// The parts for which keep(part) is true.
template <class Part, class Keep>
Result filter(const AnyRuns& any, int64_t width, Connectivity connectivity, const Keep& keep,
              AnyArrays& out) {
  return with_same_width(any, out, [&](auto runs, auto& starts, auto& lengths) {
    Array<int32_t> labels;
    return label<Part>(runs, width, connectivity, labels, [&](Sets<Part>& sets) {
      sets.replace([&](const Part& part) { return uint32_t{keep(part)}; });
      const auto kept = [&](int32_t label) { return sets.value(label) != 0; };
      return select(runs, labels.size(), width, labels.data(), kept, starts, lengths);
    });
  });
}

// Floods the background from the border, from gap to gap between runs.
//
// Where little of the background can be reached, as in noise, this touches few runs, while
// labelling visits all. Where much can, a step costs more than labelling a run does; so the flood
// gives up when it has reached an eighth, and the time is lost that labelling an eighth takes.
template <class Index>
class Flood {
 public:
  enum class End { done, gave_up, no_memory };

  Flood(Runs<Index> runs, int64_t height, int64_t width, Connectivity connectivity)
      : runs_(runs),
        height_(height),
        width_(width),
        reach_(connectivity == Connectivity::eight ? 1 : 0) {}

  End run() {
    const size_t gaps = runs_.count + static_cast<size_t>(height_) + 1;
    if (!firsts_.reserve_more(static_cast<size_t>(height_) + 1) || !reached_.reserve_more(gaps)) {
      return End::no_memory;
    }
    for (int64_t y = 0; y <= height_; ++y) {
      firsts_.append(first_run_ending_after(runs_, static_cast<size_t>(y * width_)));
    }
    std::memset(reached_.data(), 0, gaps);
    reached_.set_size(gaps);
    limit_ = gaps / 8;
    for (int64_t y = 0; y < height_; ++y) {
      enter(y, 0, y == 0 || y == height_ - 1 ? width_ : 1);
      enter(y, width_ - 1, width_);
      while (todo_.size() > 0 && !failed_ && count_ <= limit_) {
        const Gap gap = todo_[todo_.size() - 1];
        todo_.set_size(todo_.size() - 1);
        if (gap.y > 0) enter(gap.y - 1, gap.x0 - reach_, gap.x1 + reach_);
        if (gap.y < height_ - 1) enter(gap.y + 1, gap.x0 - reach_, gap.x1 + reach_);
      }
    }
    return failed_ ? End::no_memory : count_ > limit_ ? End::gave_up : End::done;
  }

  // Writes all that was not reached.
  template <class Writer>
  void write(Writer& writer) {
    int64_t done = 0;
    int64_t y = 0;
    const uint8_t* const flags = reached_.data();
    const uint8_t* const end = flags + reached_.size();
    const uint8_t* at = flags;
    while (at < end && (at = static_cast<const uint8_t*>(
                            std::memchr(at, 1, static_cast<size_t>(end - at)))) != nullptr) {
      const auto gap = static_cast<size_t>(at++ - flags);
      while (place(y + 1, firsts_[static_cast<size_t>(y + 1)]) <= gap) ++y;
      const int64_t row = y * width_;
      const size_t run = gap - static_cast<size_t>(y);
      writer.add(done, std::max(end_before(run), row));
      done = std::min(start(run), row + width_);
    }
    writer.add(done, height_ * width_);
  }

 private:
  struct Gap {
    int64_t y, x0, x1;
  };

  // A gap is named by its row and the run that ends it, which may lie behind the row. Where a run
  // goes over a row end two gaps have one place, but they are empty.
  size_t place(int64_t y, size_t run) const { return run + static_cast<size_t>(y); }

  int64_t start(size_t run) const { return run < runs_.count ? runs_.starts[run] : INT64_MAX; }
  int64_t end_before(size_t run) const {
    return run == 0 ? 0 : int64_t{runs_.starts[run - 1]} + runs_.lengths[run - 1];
  }

  // Reaches the gaps of row `y` that have pixels in columns [x0, x1).
  void enter(int64_t y, int64_t x0, int64_t x1) {
    const int64_t row = y * width_;
    const int64_t from = row + std::max<int64_t>(x0, 0);
    const int64_t to = row + std::min(x1, width_);
    const Index* low = runs_.starts + firsts_[static_cast<size_t>(y)];
    const Index* high =
        runs_.starts + std::min(firsts_[static_cast<size_t>(y + 1)] + 1, runs_.count);
    low = std::partition_point(low, high, [&](Index run_start) { return run_start <= from; });
    for (auto run = static_cast<size_t>(low - runs_.starts);; ++run) {
      const int64_t begin = std::max(end_before(run), row);
      const int64_t end = std::min(start(run), row + width_);
      if (begin < std::min(end, to)) reach(y, run, {y, begin - row, end - row});
      if (end >= to) return;
    }
  }

  void reach(int64_t y, size_t run, const Gap& gap) {
    uint8_t& reached = reached_[place(y, run)];
    if (reached != 0) return;
    reached = 1;
    ++count_;
    failed_ |= !todo_.reserve_more(1);
    if (!failed_) todo_.append(gap);
  }

  Runs<Index> runs_;
  int64_t height_, width_, reach_;
  Array<size_t> firsts_;    // of each row the first run that ends in it or behind
  Array<uint8_t> reached_;  // by place
  Array<Gap> todo_;
  size_t limit_ = 0;
  size_t count_ = 0;
  bool failed_ = false;
};

// Fills by a flood, if that is quick; else `done` stays false.
Result flood(const AnyRuns& any, int64_t height, int64_t width, Connectivity connectivity,
             AnyArrays& out, bool& done) {
  return with_runs(any, [&]<class Index>(Runs<Index> runs) -> Result {
    Flood<Index> flood(runs, height, width, connectivity);
    const auto end = flood.run();
    if (end == Flood<Index>::End::no_memory) return {Status::no_memory, 0};
    done = end == Flood<Index>::End::done;
    if (!done) return {};
    return write_runs(out, [&](auto& writer) { flood.write(writer); });
  });
}

}  // namespace

Result remove_small(const AnyRuns& runs, int64_t width, Connectivity connectivity, int64_t min_area,
                    AnyArrays& out) {
  const auto large = [&](const Area& part) { return part.area >= min_area; };
  return filter<Area>(runs, width, connectivity, large, out);
}

Result fill_holes(const AnyRuns& runs, int64_t height, int64_t width, Connectivity connectivity,
                  int64_t max_area, AnyArrays& out) {
  const Connectivity other =
      connectivity == Connectivity::eight ? Connectivity::four : Connectivity::eight;
  const int64_t pixels = height * width;
  constexpr int64_t kDense = 64;  // pixels a run, from which on a flood is worth a try
  if (max_area >= pixels && static_cast<int64_t>(runs.count) > pixels / kDense + height) {
    bool done = false;
    const Result result = flood(runs, height, width, other, out, done);
    if (done || result.status != Status::ok) return result;
  }
  const auto stays = [&](const Extent& part) {
    return part.x0 == 0 || part.y0 == 0 || part.x1 == width || part.y1 == height ||
           part.area > max_area;
  };
  AnyArrays outside, kept;
  outside.wide = kept.wide = out.wide;
  Result result = complement(runs, pixels, outside);
  if (result.status != Status::ok) return result;
  result = filter<Extent>(outside.runs(), width, other, stays, kept);
  if (result.status != Status::ok) return result;
  return complement(kept.runs(), pixels, out);
}

}  // namespace runmask
