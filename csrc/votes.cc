// Operations of many masks: unions, intersections and what lies between.
#include <algorithm>
#include <bit>
#include <memory>
#include <new>
#include <optional>

#include "algebra.h"
#include "simd.h"
#include "turn_writer.h"
#include "words.h"

namespace runmask {
namespace {

// Counts in packed bits: plane i holds bit i of each pixel's count.
class BitCounter {
 public:
  explicit BitCounter(size_t most) : planes_(std::bit_width(most)) {}

  void clear() { std::fill_n(&bits_[0][0], planes_ * kWords, 0); }

  void add(const uint64_t* words) {
    for (size_t w = 0; w < kWords; ++w) {
      uint64_t carry = words[w];
      for (size_t p = 0; carry != 0 && p < planes_; ++p) {
        const uint64_t sum = bits_[p][w] ^ carry;
        carry &= bits_[p][w];
        bits_[p][w] = sum;
      }
    }
  }

  // Where the count is at least `least`.
  void at_least(size_t least, uint64_t* words) const {
    for (size_t w = 0; w < kWords; ++w) {
      uint64_t greater = 0;
      uint64_t equal = ~uint64_t{0};
      for (size_t p = planes_; p-- > 0;) {
        if (least >> p & 1) {
          equal &= bits_[p][w];
        } else {
          greater |= equal & bits_[p][w];
          equal &= ~bits_[p][w];
        }
      }
      words[w] = greater | equal;
    }
  }

 private:
  static constexpr size_t kWords = WordCursor<int32_t>::kWords;
  size_t planes_;
  uint64_t bits_[64][kWords] = {};
};

// All masks at once, a block of packed bits after the other.
template <class Index>
class Blocks {
 public:
  Blocks(const AnyRuns* masks, size_t count, Index total)
      : count_(count), total_(total), cursors_(new (std::nothrow) std::optional<Cursor>[count]) {
    for (size_t i = 0; good() && i < count; ++i) {
      cursors_[i].emplace(masks[i].as<Index>(), 0, static_cast<size_t>(total));
    }
  }

  bool good() const { return cursors_ != nullptr; }

  // Appends what `block(words)` makes of each block.
  template <class Block>
  Result run(Array<Index>& starts, Array<Index>& lengths, const Block& block) {
    TurnWriter<Index> out(starts, lengths);
    const auto total = static_cast<size_t>(total_);
    for (size_t at = 0; at < total && !out.failed(); at += Cursor::kPixels) {
      uint64_t words[Cursor::kWords];
      block(words);
      const size_t size = std::min(Cursor::kPixels, total - at);
      out.words(kernel_, words, (size + 63) / 64, at);
    }
    if (!out.failed() && out.inside()) out.turn(total_);
    return {out.failed() ? Status::no_memory : Status::ok, 0};
  }

  void unite(uint64_t* words) {
    cursors_[0]->next(kernel_, words);
    for (size_t i = 1; i < count_; ++i) cursors_[i]->unite_next(kernel_, words);
  }

  void intersect(uint64_t* words) {
    cursors_[0]->next(kernel_, words);
    for (size_t i = 1; i < count_; ++i) {
      uint64_t others[Cursor::kWords];
      cursors_[i]->next(kernel_, others);
      for (size_t w = 0; w < Cursor::kWords; ++w) words[w] &= others[w];
    }
  }

  void vote(size_t least, BitCounter& counter, uint64_t* words) {
    counter.clear();
    for (size_t i = 0; i < count_; ++i) {
      cursors_[i]->next(kernel_, words);
      counter.add(words);
    }
    counter.at_least(least, words);
  }

 private:
  using Cursor = WordCursor<Index>;
  const Kernels& kernel_ = kernels();
  size_t count_;
  Index total_;
  std::unique_ptr<std::optional<Cursor>[]> cursors_;
};

template <class Index>
Result at_least_by_words(const AnyRuns* masks, size_t count, size_t least, Index total,
                         Array<Index>& starts, Array<Index>& lengths) {
  Blocks<Index> blocks(masks, count, total);
  if (!blocks.good()) return {Status::no_memory, 0};
  if (least == 1) {
    return blocks.run(starts, lengths, [&](uint64_t* words) { blocks.unite(words); });
  }
  if (least == count) {
    return blocks.run(starts, lengths, [&](uint64_t* words) { blocks.intersect(words); });
  }
  const std::unique_ptr<BitCounter> counter(new (std::nothrow) BitCounter(std::max(count, least)));
  if (counter == nullptr) return {Status::no_memory, 0};
  return blocks.run(starts, lengths, [&](uint64_t* words) { blocks.vote(least, *counter, words); });
}

// Merges neighbouring sorted stretches of `from`, ended by `bounds`, until there is one.
template <class Index>
void merge_stretches(Array<Index>& from, Array<Index>& to, Array<size_t>& bounds) {
  while (bounds.size() > 1) {
    size_t first = 0;
    size_t kept = 0;
    for (size_t i = 0; i < bounds.size(); i += 2) {
      const size_t middle = bounds[i];
      const size_t last = i + 1 < bounds.size() ? bounds[i + 1] : middle;
      std::merge(from.data() + first, from.data() + middle, from.data() + middle,
                 from.data() + last, to.data() + first);
      bounds[kept++] = first = last;
    }
    bounds.set_size(kept);
    from.swap(to);
  }
}

template <class Index>
Result at_least_by_turns(const AnyRuns* masks, size_t count, size_t least, size_t runs,
                         Array<Index>& out_starts, Array<Index>& out_lengths) {
  Array<Index> sorted[2], spare;  // all starts, and all stops
  Array<size_t> bounds;
  if (!sorted[0].reserve_more(runs) || !sorted[1].reserve_more(runs) || !spare.reserve_more(runs) ||
      !bounds.reserve_more(count)) {
    return {Status::no_memory, 0};
  }
  for (const bool stops : {false, true}) {
    bounds.set_size(0);
    for (size_t i = 0; i < count; ++i) {
      const Runs<Index> mask = masks[i].as<Index>();
      for (size_t r = 0; r < mask.count; ++r) {
        sorted[stops].append(static_cast<Index>(mask.starts[r] + (stops ? mask.lengths[r] : 0)));
      }
      if (mask.count != 0) bounds.append(sorted[stops].size());
    }
    spare.set_size(runs);
    merge_stretches(sorted[stops], spare, bounds);
    sorted[stops].set_size(runs);
  }
  const Array<Index>& starts = sorted[0];
  const Array<Index>& stops = sorted[1];
  TurnWriter<Index> out(out_starts, out_lengths);
  size_t open = 0;
  for (size_t i = 0, j = 0; j < runs && !out.failed();) {
    const Index at = i < runs ? std::min(starts[i], stops[j]) : stops[j];
    for (; i < runs && starts[i] == at; ++i) ++open;
    for (; j < runs && stops[j] == at; ++j) --open;
    if ((open >= least) != out.inside()) out.turn(at);
  }
  return {out.failed() ? Status::no_memory : Status::ok, 0};
}

// Two by two, then the results two by two.
Result fold(const AnyRuns* masks, size_t count, Operation operation, int64_t total,
            AnyArrays& out) {
  AnyArrays made[2];
  AnyRuns halves[2] = {masks[0], masks[count / 2]};
  for (const size_t half : {0, 1}) {
    const size_t first = half * (count / 2);
    const size_t size = half == 0 ? count / 2 : count - first;
    if (size < 2) continue;
    made[half].wide = out.wide;
    const Result result = fold(masks + first, size, operation, total, made[half]);
    if (result.status != Status::ok) return result;
    halves[half] = made[half].view();
  }
  return combine(halves[0], halves[1], operation, total, out);
}

// Whether words are faster than turns, from times that were measured: in nanoseconds, a run takes 3
// in words and for each time it is merged, and a block of words 60, and 5 more for each mask.
bool many(size_t count, size_t runs, int64_t total) {
  if (count < 2) return false;
  const auto blocks = static_cast<size_t>(total) / TurnWriter<int32_t>::kMost;
  return blocks * (60 + 5 * count) <
         3 * runs * (static_cast<size_t>(std::bit_width(count - 1)) - 1);
}

}  // namespace

Result at_least(const AnyRuns* masks, size_t count, size_t least, int64_t total, AnyArrays& out) {
  size_t runs = 0;
  for (size_t i = 0; i < count; ++i) runs += masks[i].count;
  if (runs == 0) return {};
  const bool dense = many(count, runs, total);
  if (!dense && count > 1 && (least == 1 || least == count)) {
    return fold(masks, count, least == 1 ? Operation::either : Operation::both, total, out);
  }
  return with_arrays(out, [&]<class Index>(Array<Index>& starts, Array<Index>& lengths) {
    return dense
               ? at_least_by_words(masks, count, least, static_cast<Index>(total), starts, lengths)
               : at_least_by_turns(masks, count, least, runs, starts, lengths);
  });
}

}  // namespace runmask
