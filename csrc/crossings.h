// Rings taken edge by edge, and where edges cross rows: what all ways of filling polygons share.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "array.h"
#include "polygons.h"

namespace runmask {

__extension__ using Wide = __int128;
__extension__ using WideKey = unsigned __int128;

struct Point {
  int64_t x, y;
};

struct Edge {
  Point from, to;
};

// Calls with each edge until one call returns false, and returns what the last one did.
template <class Call>
bool for_each_edge(const Rings& rings, const Call& call) {
  const auto point = [&](int64_t i) { return Point{rings.points[2 * i], rings.points[2 * i + 1]}; };
  for (size_t ring = 0; ring < rings.count; ++ring) {
    const int64_t end = rings.offsets[ring + 1];
    for (int64_t i = rings.offsets[ring]; i < end; ++i) {
      const int64_t before = i == rings.offsets[ring] ? end - 1 : i - 1;
      if (!call(Edge{point(before), point(i)})) return false;
    }
  }
  return true;
}

// The bits that numbers up to this one take.
inline int bits_of(int64_t largest) {
  return static_cast<int>(std::bit_width(static_cast<uint64_t>(largest)));
}

// Things in rows, each one number that sorts by its row and then by where it stands in it. `Key` is
// unsigned, and wide enough for both.
template <class Key>
class Crossings {
 public:
  // Places in a row are numbers of so many bits.
  explicit Crossings(int bits) : bits_(bits), mask_((Key{1} << bits) - 1) {}

  bool reserve_more(int64_t count) { return keys_.reserve_more(static_cast<size_t>(count)); }
  void add(int64_t row, int64_t at) {
    keys_.append(static_cast<Key>(row) << bits_ | static_cast<Key>(at));
  }

  size_t size() const { return keys_.size(); }
  int64_t row(size_t i) const { return static_cast<int64_t>(keys_[i] >> bits_); }
  int64_t at(size_t i) const { return static_cast<int64_t>(keys_[i] & mask_); }

  // Rows that hold few are filled like buckets and sorted; those that hold many are sorted roughly
  // before by the same means, so that little is left to do in them. False if there is no memory.
  bool sort() {
    if (size() < 2) return true;
    const auto [low, high] = std::minmax_element(keys_.begin(), keys_.end());
    const Key top = *low >> bits_;
    const auto rows = static_cast<size_t>((*high >> bits_) - top) + 1;
    if (rows / 4 > size()) {
      std::sort(keys_.begin(), keys_.end());
      return true;
    }
    const int bits = std::min(bits_, kBucketBits);
    const auto column = [this, shift = bits_ - bits](Key key) {
      return static_cast<size_t>((key & mask_) >> shift);
    };
    if (size() / 4 > rows && !sort_into_buckets(size_t{1} << bits, column)) return false;
    const auto row = [this, top](Key key) { return static_cast<size_t>((key >> bits_) - top); };
    if (!sort_into_buckets(rows, row)) return false;
    size_t begin = 0;
    for (const size_t end : ends_) {
      sort_row(keys_.data() + begin, keys_.data() + end);
      begin = end;
    }
    return true;
  }

 private:
  static constexpr int kBucketBits = 12;

  // What is in one bucket keeps its order.
  template <class BucketOf>
  bool sort_into_buckets(size_t buckets, const BucketOf& bucket_of) {
    ends_.set_size(0);
    if (!ends_.reserve_more(buckets) || !spare_.reserve_more(size())) return false;
    ends_.set_size(buckets);
    std::fill(ends_.begin(), ends_.end(), size_t{0});
    for (const Key key : keys_) ++ends_[bucket_of(key)];
    size_t begin = 0;
    for (size_t& end : ends_) begin += std::exchange(end, begin);
    for (const Key key : keys_) spare_[ends_[bucket_of(key)]++] = key;
    spare_.set_size(size());
    keys_.swap(spare_);
    spare_.set_size(0);
    return true;
  }

  // By insertion, which is given up when it has to move too much.
  static void sort_row(Key* first, Key* last) {
    ptrdiff_t moves = 8 * (last - first);
    for (Key* next = first; next < last; ++next) {
      const Key key = *next;
      Key* to = next;
      for (; to > first && to[-1] > key; --to) *to = to[-1];
      *to = key;
      moves -= next - to;
      if (moves < 0) return std::sort(first, last);
    }
  }

  Array<Key> keys_, spare_;
  Array<size_t> ends_;
  int bits_;
  Key mask_;
};

}  // namespace runmask
