#include "ring_graph.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "simplify.h"

namespace runmask {
namespace {

struct Keyed {
  uint64_t key;
  uint32_t index;
};

// Stable, digit by digit.
void sort_by_key(std::vector<Keyed>& items, uint64_t largest) {
  constexpr int kDigit = 11;
  std::vector<Keyed> spare(items.size());
  for (int shift = 0; shift < 64 && largest >> shift != 0; shift += kDigit) {
    const auto digit = [=](const Keyed& item) {
      return static_cast<size_t>(item.key >> shift) & ((size_t{1} << kDigit) - 1);
    };
    size_t places[size_t{1} << kDigit] = {};
    for (const Keyed& item : items) ++places[digit(item)];
    size_t first = 0;
    for (size_t& place : places) first += std::exchange(place, first);
    for (const Keyed& item : items) spare[places[digit(item)]++] = item;
    items.swap(spare);
  }
}

}  // namespace

void PairSet::add(uint32_t a, uint32_t b) {
  if (2 * (size_ + 1) > slots_.size()) {
    std::vector<uint64_t> old(std::max<size_t>(2 * slots_.size(), 16), kFree);
    old.swap(slots_);
    for (const uint64_t pair : old) {
      if (pair != kFree) slots_[slot_of(pair)] = pair;
    }
  }
  uint64_t& slot = slots_[slot_of(key(a, b))];
  size_ += slot == kFree;
  slot = key(a, b);
}

size_t PairSet::slot_of(uint64_t key) const {
  const int shift = 64 - std::countr_zero(slots_.size());
  size_t slot = static_cast<size_t>((key * 0x9E3779B97F4A7C15u) >> shift);
  while (slots_[slot] != kFree && slots_[slot] != key) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

Result RingGraph::build(const FlatRings& rings) {
  const size_t count = rings.point_count();
  if (count > std::numeric_limits<uint32_t>::max() - 1) return {Status::too_many, 0};
  int64_t low[2] = {INT64_MAX, INT64_MAX}, high[2] = {INT64_MIN, INT64_MIN};
  for (size_t i = 0; i < 2 * count; ++i) {
    low[i % 2] = std::min<int64_t>(low[i % 2], rings.points[i]);
    high[i % 2] = std::max<int64_t>(high[i % 2], rings.points[i]);
  }
  for (const int axis : {0, 1}) {
    if (count != 0 && high[axis] - low[axis] > INT32_MAX) return {Status::bad_point, 0};
  }
  left_ = low[0];
  top_ = low[1];
  number_points(rings);
  links_.assign(2 * x_.size(), kNone);
  fixed_.assign(x_.size(), 0);
  gone_.assign(x_.size(), 0);
  for (size_t ring = 0; ring < rings.count; ++ring) {
    fix_turns(numbers_.data() + rings.offsets[ring],
              static_cast<size_t>(rings.offsets[ring + 1] - rings.offsets[ring]));
  }
  for_each_line(rings, [this](uint32_t a, uint32_t b) {
    link(a, b);
    link(b, a);
  });
  for (uint32_t v = 0; v < size(); ++v) {
    if (links_[2 * size_t{v} + 1] == kNone) fixed_[v] = 1;
  }
  for_each_line(rings, [this](uint32_t a, uint32_t b) {
    if (is_fixed(a) && is_fixed(b)) joined_.add(a, b);
  });
  return {};
}

void RingGraph::number_points(const FlatRings& rings) {
  std::vector<Keyed> items(rings.point_count());
  uint64_t width = 0, largest = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    width = std::max(width, static_cast<uint64_t>(rings.points[2 * i] - left_));
  }
  const int bits = static_cast<int>(std::bit_width(width));
  for (size_t i = 0; i < items.size(); ++i) {
    const auto x = static_cast<uint64_t>(rings.points[2 * i] - left_);
    const auto y = static_cast<uint64_t>(rings.points[2 * i + 1] - top_);
    items[i] = {y << bits | x, static_cast<uint32_t>(i)};
    largest = std::max(largest, items[i].key);
  }
  sort_by_key(items, largest);
  numbers_.resize(items.size());
  uint64_t last = UINT64_MAX;
  for (const Keyed& item : items) {
    if (item.key != last) {
      x_.push_back(static_cast<int32_t>(item.key & ((uint64_t{1} << bits) - 1)));
      y_.push_back(static_cast<int32_t>(item.key >> bits));
      last = item.key;
    }
    numbers_[item.index] = size() - 1;
  }
}

// Points are in raster order before, and stay so along a line.
void RingGraph::sort_along(Family family) {
  Order& order = orders_[family];
  if (family == kRows || !order.points.empty()) return;
  std::vector<Keyed> items(x_.size());
  uint64_t largest = 0;
  for (uint32_t v = 0; v < size(); ++v) {
    const int64_t line = family == kColumns   ? x_[v]
                         : family == kFalling ? int64_t{x_[v]} - y_[v] + INT32_MAX
                                              : int64_t{x_[v]} + y_[v];
    items[v] = {static_cast<uint64_t>(line), v};
    largest = std::max(largest, items[v].key);
  }
  sort_by_key(items, largest);
  order.points.resize(items.size());
  order.ranks.resize(items.size());
  for (size_t rank = 0; rank < items.size(); ++rank) {
    order.points[rank] = items[rank].index;
    order.ranks[items[rank].index] = static_cast<uint32_t>(rank);
  }
}

// A point with a third neighbour is fixed.
void RingGraph::link(uint32_t a, uint32_t b) {
  uint32_t* links = links_.data() + 2 * size_t{a};
  if (links[0] == b || links[1] == b) return;
  if (links[0] == kNone) {
    links[0] = b;
  } else if (links[1] == kNone) {
    links[1] = b;
  } else {
    fixed_[a] = 1;
  }
}

// Where a ring goes back the way it came it would lose its end, and if it is one point, itself.
void RingGraph::fix_turns(const uint32_t* ring, size_t size) {
  size_t last = size - 1;
  while (last > 0 && ring[last] == ring[0]) --last;
  uint32_t before = ring[last], here = ring[0];
  if (before == here) {
    fixed_[here] = 1;
    return;
  }
  for (size_t i = 1; i <= last + 1; ++i) {
    const uint32_t next = i <= last ? ring[i] : ring[0];
    if (next == here) continue;
    const Spot a = at(before), b = at(here), c = at(next);
    const bool back = (b.x - a.x) * (c.x - b.x) <= 0 && (b.y - a.y) * (c.y - b.y) <= 0;
    if (back && cross(a, b, c) == 0) fixed_[here] = 1;
    before = here;
    here = next;
  }
}

RingGraph::Family RingGraph::family_of(uint32_t a, uint32_t b) const {
  const int64_t dx = int64_t{x_[b]} - x_[a], dy = int64_t{y_[b]} - y_[a];
  return dy == 0     ? kRows
         : dx == 0   ? kColumns
         : dx == dy  ? kFalling
         : dx == -dy ? kRising
                     : kFamilies;
}

// Calls with both ends of each line between neighbouring points, some of them more than once.
// Lines that rings share in part are cut by all points on them, without looking at these once for
// each ring: along an order, rings only leave marks where they begin and end.
template <class Call>
void RingGraph::for_each_line(const FlatRings& rings, const Call& call) {
  std::vector<uint32_t> covers[kFamilies];
  for (size_t ring = 0; ring < rings.count; ++ring) {
    uint32_t from = numbers_[static_cast<size_t>(rings.offsets[ring + 1]) - 1];
    for (int64_t i = rings.offsets[ring]; i < rings.offsets[ring + 1]; ++i) {
      const uint32_t to = numbers_[static_cast<size_t>(i)];
      if (from != to) {
        const Family family = family_of(from, to);
        if (family == kFamilies) {
          call(from, to);
        } else {
          sort_along(family);
          const auto [first, last] = std::minmax({rank_of(family, from), rank_of(family, to)});
          if (last - first == 1) {
            call(from, to);
          } else {
            orders_[family].is_cut = true;
            covers[family].resize(x_.size());
            ++covers[family][first];
            --covers[family][last];
          }
        }
      }
      from = to;
    }
  }
  for (const Family family : {kRows, kColumns, kFalling, kRising}) {
    uint32_t rings_here = 0;
    for (uint32_t rank = 0; rank < covers[family].size(); ++rank) {
      rings_here += covers[family][rank];
      if (rings_here != 0) call(point_at(family, rank), point_at(family, rank + 1));
    }
  }
}

bool RingGraph::are_joined(uint32_t a, uint32_t b) const {
  const auto leads_to = [this](uint32_t from, uint32_t to) {
    return links_[2 * size_t{from}] == to || links_[2 * size_t{from} + 1] == to;
  };
  if (!is_fixed(a)) return leads_to(a, b);
  if (!is_fixed(b)) return leads_to(b, a);
  return joined_.contains(a, b);
}

void RingGraph::join(uint32_t a, uint32_t after_a, uint32_t b, uint32_t before_b) {
  const auto turn = [this](uint32_t v, uint32_t old, uint32_t to) {
    uint32_t* links = links_.data() + 2 * size_t{v};
    links[links[0] == old ? 0 : 1] = to;
  };
  if (!is_fixed(a)) turn(a, after_a, b);
  if (!is_fixed(b)) turn(b, before_b, a);
  if (is_fixed(a) && is_fixed(b)) joined_.add(a, b);
}

void RingGraph::find_kept() {
  for (const Family family : {kRows, kColumns, kFalling, kRising}) {
    Order& order = orders_[family];
    if (!order.is_cut) continue;
    order.kept_before.reserve(x_.size());
    for (uint32_t rank = 0; rank < size(); ++rank) {
      order.kept_before.push_back(static_cast<uint32_t>(order.kept.size()));
      const uint32_t v = point_at(family, rank);
      if (!is_gone(v)) order.kept.push_back(v);
    }
  }
}

// Calls with the kept points of a ring as sequences in an order of points: first, how many, and the
// step from one to the next. Those at the start of an edge, and those of others that lie on it.
template <class Call>
void RingGraph::for_each_span(const uint32_t* ring, size_t size, const Call& call) const {
  bool some = false;
  for (size_t i = 0; i < size; ++i) {
    const uint32_t from = ring[i], to = ring[i + 1 == size ? 0 : i + 1];
    if (from == to && (some || i + 1 < size)) continue;
    some = true;
    if (!is_gone(from)) call(&ring[i], size_t{1}, ptrdiff_t{1});
    const Family family = family_of(from, to);
    if (family == kFamilies || !orders_[family].is_cut || from == to) continue;
    const Order& order = orders_[family];
    const uint32_t a = rank_of(family, from), b = rank_of(family, to);
    if (a + 1 < b) {
      const size_t first = order.kept_before[a + 1], last = order.kept_before[b];
      if (first < last) call(order.kept.data() + first, last - first, ptrdiff_t{1});
    } else if (b + 1 < a) {
      const size_t first = order.kept_before[b + 1], last = order.kept_before[a];
      if (first < last) call(order.kept.data() + last - 1, last - first, ptrdiff_t{-1});
    }
  }
}

Result RingGraph::write(const FlatRings& rings, Array<int32_t>& points, Array<int64_t>& offsets) {
  find_kept();
  const auto ring_at = [&](size_t ring) { return numbers_.data() + rings.offsets[ring]; };
  const auto size_of = [&](size_t ring) {
    return static_cast<size_t>(rings.offsets[ring + 1] - rings.offsets[ring]);
  };
  size_t total = 0;
  for (size_t ring = 0; ring < rings.count; ++ring) {
    for_each_span(ring_at(ring), size_of(ring),
                  [&](const uint32_t*, size_t count, ptrdiff_t) { total += count; });
    if (total > std::max(kMostPoints, rings.point_count())) return {Status::too_many, ring};
  }
  if (!points.reserve_more(2 * total) || !offsets.reserve_more(rings.count + 1)) {
    return {Status::no_memory, 0};
  }
  std::vector<uint32_t> kept;
  offsets.append(0);
  for (size_t ring = 0; ring < rings.count; ++ring) {
    kept.clear();
    for_each_span(ring_at(ring), size_of(ring),
                  [&](const uint32_t* from, size_t count, ptrdiff_t step) {
                    for (; count != 0; --count, from += step) kept.push_back(*from);
                  });
    if (is_gone(*ring_at(ring))) {
      std::rotate(kept.begin(), std::min_element(kept.begin(), kept.end()), kept.end());
    }
    for (const uint32_t v : kept) {
      points.append(static_cast<int32_t>(x_[v] + left_));
      points.append(static_cast<int32_t>(y_[v] + top_));
    }
    offsets.append(static_cast<int64_t>(points.size() / 2));
  }
  return {};
}

}  // namespace runmask
