// Labelling the connected parts of a mask in one scan over its row pieces.
//
// Source: the run-based scan of He, Chao and Suzuki (2008); measures are gathered in the same scan,
// as Bailey and Johnston (2007) do. A row equal to the one above it inherits its labels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "array.h"
#include "components.h"
#include "pieces.h"

namespace runmask {

// Labels that are known to mean the same part form a set, which its smallest label stands for.
// `Part` is what is measured: made from one piece (y, x0, x1), it can add() another and merge()
// with another part. Pieces come row by row.
template <class Part>
class Sets {
 public:
  [[nodiscard]] bool reserve(size_t more) {
    return parents_.reserve_more(more) && parts_.reserve_more(more);
  }

  uint32_t add(const Part& part) {
    const auto label = static_cast<uint32_t>(parents_.size());
    parents_.append(label);
    parts_.append(part);
    return label;
  }

  uint32_t find(uint32_t label) {
    uint32_t* parents = parents_.data();
    while (parents[label] != label) {
      parents[label] = parents[parents[label]];
      label = parents[label];
    }
    return label;
  }

  uint32_t join(uint32_t a, uint32_t b) {  // of two that stand for their sets
    const uint32_t low = std::min(a, b);
    parents_[std::max(a, b)] = low;
    return low;
  }

  // The measures are handed up, so that they are whole where a label stands for its set. A parent
  // is smaller than its child: from the last label down each is whole when its turn comes.
  void gather() {
    for (size_t label = parents_.size(); label-- > 0;) {
      if (!stands(label)) parts_[parents_[label]].merge(parts_[label]);
    }
  }

  // Calls value(part) for each set and gives it to all its labels, in ascending order of the sets.
  template <class Value>
  void replace(const Value& value) {
    for (size_t label = 0; label < parents_.size(); ++label) {
      parents_[label] = stands(label) ? value(parts_[label]) : parents_[parents_[label]];
    }
  }

  size_t size() const { return parents_.size(); }
  bool stands(size_t label) const { return parents_[label] == label; }
  Part& part(uint32_t label) { return parts_[label]; }
  uint32_t value(int32_t label) const { return parents_[static_cast<size_t>(label)]; }

 private:
  Array<uint32_t> parents_;  // after replace(): values
  Array<Part> parts_;
};

// The pieces of one row, and one behind them that touches none.
struct Row {
  Array<uint32_t> x0, x1;
  size_t size = 0;
  size_t first = 0;  // among all pieces

  [[nodiscard]] bool reserve(size_t pieces) {
    if (!x0.reserve_more(pieces + 1) || !x1.reserve_more(pieces + 1)) return false;
    close();
    return true;
  }

  void add(int64_t from, int64_t to) {
    x0[size] = static_cast<uint32_t>(from);
    x1[size] = static_cast<uint32_t>(to);
    ++size;
  }

  void clear() {
    size = 0;
    close();
  }

  void close() { x0[size] = x1[size] = UINT32_MAX - 1; }

  bool same_as(const Row& other) const {
    return size == other.size && x0[0] == other.x0[0] &&
           std::memcmp(x0.data(), other.x0.data(), size * 4) == 0 &&
           std::memcmp(x1.data(), other.x1.data(), size * 4) == 0;
  }

  void swap(Row& other) {
    x0.swap(other.x0);
    x1.swap(other.x1);
    std::swap(size, other.size);
    std::swap(first, other.first);
  }
};

// Takes the pieces in raster order and writes a label for each.
template <class Part>
class Labeller {
 public:
  Labeller(Connectivity connectivity, Array<int32_t>& labels)
      : reach_(connectivity == Connectivity::eight ? 1 : 0), labels_(labels) {}

  // For rows of at most so many pieces.
  [[nodiscard]] bool reserve(size_t pieces) {
    return above_.reserve(pieces) && row_.reserve(pieces);
  }

  void piece(int64_t y, int64_t x0, int64_t x1) {
    if (y != y_) {
      if (!end_row() || y != y_ + 1) above_.clear();
      y_ = y;
    }
    row_.add(x0, x1);
  }

  // Labels the last row; false if there was no memory.
  [[nodiscard]] bool finish() { return end_row(); }

  Sets<Part>& sets() { return sets_; }

 private:
  bool end_row() {
    row_.close();
    row_.first = labels_.size();
    failed_ |= !sets_.reserve(row_.size) || !labels_.reserve_more(row_.size);
    if (failed_) {
      row_.clear();
      return false;
    }
    if (row_.same_as(above_)) {
      inherit();
    } else {
      connect();
    }
    labels_.set_size(row_.first + row_.size);
    above_.swap(row_);
    row_.size = 0;
    return true;
  }

  // Each piece belongs to the one above it, which it covers exactly.
  void inherit() {
    const int32_t* const above = labels_.data() + above_.first;
    int32_t* const labels = labels_.data() + row_.first;
    for (size_t i = 0; i < row_.size; ++i) {
      const uint32_t label = sets_.find(static_cast<uint32_t>(above[i]));
      labels[i] = static_cast<int32_t>(label);
      sets_.part(label).add(y_, row_.x0[i], row_.x1[i]);
    }
  }

  // Each piece belongs to the sets of all pieces above that it meets, which become one.
  void connect() {
    const uint32_t* above0 = above_.x0.data();
    const uint32_t* above1 = above_.x1.data();
    const uint32_t reach = reach_;
    const int32_t* const above = labels_.data() + above_.first;
    int32_t* const labels = labels_.data() + row_.first;
    size_t j = 0;
    for (size_t i = 0; i < row_.size; ++i) {
      const uint32_t x0 = row_.x0[i];
      const uint32_t x1 = row_.x1[i];
      while (above1[j] + reach <= x0) ++j;
      if (above0[j] >= x1 + reach) {
        labels[i] = static_cast<int32_t>(sets_.add(Part(y_, x0, x1)));
        continue;
      }
      uint32_t label = sets_.find(static_cast<uint32_t>(above[j]));
      for (; above0[j + 1] < x1 + reach; ++j) {
        const uint32_t other = sets_.find(static_cast<uint32_t>(above[j + 1]));
        if (other != label) label = sets_.join(label, other);
      }
      labels[i] = static_cast<int32_t>(label);
      sets_.part(label).add(y_, x0, x1);
    }
  }

  uint32_t reach_;  // how far beside its own columns a piece touches the row above
  Array<int32_t>& labels_;
  Sets<Part> sets_;
  Row above_, row_;
  int64_t y_ = -1;
  bool failed_ = false;
};

// Labels all pieces and gives done() the sets, their measures gathered. O(pieces), all but.
template <class Part, class Index, class Done>
Result label(Runs<Index> runs, int64_t width, Connectivity connectivity, Array<int32_t>& labels,
             const Done& done) {
  constexpr Result kNoMemory = {Status::no_memory, 0};
  Labeller<Part> labeller(connectivity, labels);
  const auto most = std::min(runs.count, static_cast<size_t>(width / 2 + 1));  // in one row
  if (!labels.reserve_more(runs.count) || !labeller.reserve(most)) return kNoMemory;
  for_each_piece(runs, width,
                 [&](int64_t y, int64_t x0, int64_t x1) { labeller.piece(y, x0, x1); });
  if (!labeller.finish()) return kNoMemory;
  labeller.sets().gather();
  return done(labeller.sets());
}

// Calls with runs and with arrays for runs of the same image, so of the same width.
template <class Call>
Result with_same_width(const AnyRuns& runs, AnyArrays& out, const Call& call) {
  return runs.wide ? call(runs.as<int64_t>(), out.wide_starts, out.wide_lengths)
                   : call(runs.as<int32_t>(), out.narrow_starts, out.narrow_lengths);
}

// The pieces for which keep(label) is true. O(pieces).
template <class Index, class Keep>
Result select(Runs<Index> runs, size_t pieces, int64_t width, const int32_t* labels,
              const Keep& keep, Array<Index>& starts, Array<Index>& lengths) {
  if (!starts.reserve_more(pieces + 1) || !lengths.reserve_more(pieces + 1)) {
    return {Status::no_memory, 0};
  }
  Index* const start = starts.data();
  Index* const length = lengths.data();
  size_t count = 0;
  for_each_piece(runs, width, [&](int64_t y, int64_t x0, int64_t x1) {
    const bool kept = keep(*labels++);
    start[count] = static_cast<Index>(y * width + x0);
    length[count] = static_cast<Index>(x1 - x0);
    // Without a jump: which parts are kept cannot be foretold.
    if (x0 != 0) {
      count += kept;
    } else if (kept) {  // it may go on from the row above
      if (count > 0 && start[count - 1] + length[count - 1] == start[count]) {
        length[count - 1] = static_cast<Index>(length[count - 1] + length[count]);
      } else {
        ++count;
      }
    }
  });
  starts.set_size(count);
  lengths.set_size(count);
  return {};
}

}  // namespace runmask
