#include <algorithm>
#include <cmath>
#include <new>
#include <numbers>
#include <utility>
#include <vector>

#include "rings.h"
#include "vertex_grid.h"

namespace runmask {
namespace {

// Spots in raster order, each once; false if they span too much.
bool sort_spots(const int32_t* first, const int32_t* end, std::vector<uint64_t>& keys,
                std::vector<Spot>& spots) {
  int64_t left = first[0], right = left, top = first[1], bottom = top;
  for (const int32_t* p = first; p < end; p += 2) {
    left = std::min<int64_t>(left, p[0]);
    right = std::max<int64_t>(right, p[0]);
    top = std::min<int64_t>(top, p[1]);
    bottom = std::max<int64_t>(bottom, p[1]);
  }
  if (right - left > INT32_MAX || bottom - top > INT32_MAX) return false;
  keys.clear();
  for (const int32_t* p = first; p < end; p += 2) {
    keys.push_back(static_cast<uint64_t>(p[1] - top) << 32 | static_cast<uint64_t>(p[0] - left));
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  spots.clear();
  for (const uint64_t key : keys) {
    spots.push_back(
        {static_cast<int64_t>(key & UINT32_MAX) + left, static_cast<int64_t>(key >> 32) + top});
  }
  return true;
}

// Down the right side of spots in raster order, then up the left side.
void find_hull(const std::vector<Spot>& spots, std::vector<Spot>& hull) {
  hull.clear();
  const auto add = [&hull](Spot spot, size_t bottom) {
    while (hull.size() > bottom + 1 && cross(hull[hull.size() - 2], hull.back(), spot) <= 0) {
      hull.pop_back();
    }
    hull.push_back(spot);
  };
  for (const Spot& spot : spots) add(spot, 0);
  const size_t bottom = hull.size() - 1;
  for (size_t i = spots.size() - 1; i-- > 0;) add(spots[i], bottom);
  if (hull.size() > 1) hull.pop_back();  // where it began
}

Result convex_hulls_or_throw(const FlatRings& rings, Array<int32_t>& points,
                             Array<int64_t>& offsets) {
  std::vector<uint64_t> keys;
  std::vector<Spot> spots, hull;
  if (!offsets.reserve_more(rings.count + 1)) return {Status::no_memory, 0};
  offsets.append(0);
  for (size_t ring = 0; ring < rings.count; ++ring) {
    const int32_t* first = rings.points + 2 * rings.offsets[ring];
    const int32_t* end = rings.points + 2 * rings.offsets[ring + 1];
    if (!sort_spots(first, end, keys, spots)) return {Status::bad_point, ring};
    find_hull(spots, hull);
    if (!points.reserve_more(2 * hull.size())) return {Status::no_memory, 0};
    for (const Spot& spot : hull) {
      points.append(static_cast<int32_t>(spot.x));
      points.append(static_cast<int32_t>(spot.y));
    }
    offsets.append(static_cast<int64_t>(points.size() / 2));
  }
  return {};
}

struct Rect {
  Spot from;                             // a point of the hull on one of its sides
  int64_t dx = 1, dy = 0;                // along that side
  double low = 0, high = 0, across = 0;  // how far it reaches, in lengths of (dx, dy)
};

// A hull of three points or more.
Rect least_rect(const std::vector<Spot>& hull) {
  const size_t count = hull.size();
  Rect least;
  double least_area = INFINITY;
  size_t right = 1, far = 1, left = 1;
  for (size_t i = 0; i < count; ++i) {
    const Spot p = hull[i], q = hull[i + 1 == count ? 0 : i + 1];
    const int64_t dx = q.x - p.x, dy = q.y - p.y;
    const auto dot = [&](size_t k) {
      const Spot& s = hull[k % count];
      return (s.x - p.x) * dx + (s.y - p.y) * dy;
    };
    const auto off = [&](size_t k) { return cross(p, q, hull[k % count]); };
    // Each goes around once, ahead of the one before.
    right = std::max(right, i + 1);
    while (dot(right + 1) > dot(right)) ++right;
    far = std::max(far, right);
    while (off(far + 1) > off(far)) ++far;
    left = std::max(left, far);
    while (dot(left + 1) < dot(left)) ++left;
    const auto square = static_cast<double>(dx * dx + dy * dy);
    const Rect rect = {p,
                       dx,
                       dy,
                       static_cast<double>(dot(left)) / square,
                       static_cast<double>(dot(right)) / square,
                       static_cast<double>(off(far)) / square};
    const double area = (rect.high - rect.low) * rect.across * square;
    if (area < least_area) {
      least_area = area;
      least = rect;
    }
  }
  return least;
}

Rect rect_of(const std::vector<Spot>& hull) {
  if (hull.size() > 2) return least_rect(hull);
  Rect rect;
  rect.from = hull[0];
  if (hull.size() == 2) {
    rect.dx = hull[1].x - hull[0].x;
    rect.dy = hull[1].y - hull[0].y;
    rect.high = 1;
  }
  return rect;
}

void write_rect(const Rect& rect, const RingRects& out, size_t i) {
  auto ux = static_cast<double>(rect.dx), uy = static_cast<double>(rect.dy);
  const double length = std::hypot(ux, uy), middle = (rect.low + rect.high) / 2;
  const double x = static_cast<double>(rect.from.x) + middle * ux - rect.across / 2 * uy;
  const double y = static_cast<double>(rect.from.y) + middle * uy + rect.across / 2 * ux;
  double width = (rect.high - rect.low) * length, height = rect.across * length;
  ux /= length;
  uy /= length;
  while (ux < 0 || uy >= 0) {  // by quarters, to an angle from -90 to 0
    ux = std::exchange(uy, -ux);
    std::swap(width, height);
  }
  out.centers[2 * i] = x;
  out.centers[2 * i + 1] = y;
  out.sizes[2 * i] = width;
  out.sizes[2 * i + 1] = height;
  out.angles[i] = std::atan2(uy, ux) * 180 / std::numbers::pi;
  constexpr int kSides[4][2] = {{-1, 1}, {-1, -1}, {1, -1}, {1, 1}};
  for (size_t corner = 0; corner < 4; ++corner) {
    const double along = kSides[corner][0] * width / 2, across = kSides[corner][1] * height / 2;
    out.corners[8 * i + 2 * corner] = x + along * ux - across * uy;
    out.corners[8 * i + 2 * corner + 1] = y + along * uy + across * ux;
  }
}

}  // namespace

Result convex_hulls(const FlatRings& rings, Array<int32_t>& points, Array<int64_t>& offsets) {
  try {
    return convex_hulls_or_throw(rings, points, offsets);
  } catch (const std::bad_alloc&) {
    return {Status::no_memory, 0};
  }
}

Result min_area_rects(const FlatRings& hulls, const RingRects& out) {
  try {
    std::vector<Spot> hull;
    for (size_t ring = 0; ring < hulls.count; ++ring) {
      hull.clear();
      for (int64_t i = hulls.offsets[ring]; i < hulls.offsets[ring + 1]; ++i) {
        hull.push_back({hulls.points[2 * i], hulls.points[2 * i + 1]});
      }
      write_rect(rect_of(hull), out, ring);
    }
  } catch (const std::bad_alloc&) {
    return {Status::no_memory, 0};
  }
  return {};
}

}  // namespace runmask
