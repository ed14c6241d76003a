// Contours against a walk along the edges of pixels, one edge at a time.
#include "contours.h"

#include <array>
#include <map>
#include <tuple>

#include "harness.h"

namespace {

using namespace runmask;
using namespace runmask::testing;

using Corner = std::array<int32_t, 2>;  // x y
using Ring = std::vector<Corner>;

// One step along the edges, with a set pixel to the right of it on the screen.
struct Edge {
  Corner from;
  int direction;  // 0 east, 1 south, 2 west, 3 north
  bool operator<(const Edge& other) const {
    return std::tie(from, direction) < std::tie(other.from, other.direction);
  }
};

Corner after(Edge edge) {
  constexpr std::array<int32_t, 4> kX = {1, 0, -1, 0};
  constexpr std::array<int32_t, 4> kY = {0, 1, 0, -1};
  const auto d = static_cast<size_t>(edge.direction);
  return {edge.from[0] + kX[d], edge.from[1] + kY[d]};
}

class Walker {
 public:
  Walker(const Image& image, Connectivity connectivity)
      : image_(image), right_first_(connectivity == Connectivity::four) {}

  // All rings, in the order of their topmost, then leftmost corners.
  std::vector<Ring> rings() {
    std::vector<Ring> found;
    for (int32_t y = 0; y <= image_.height; ++y) {
      for (int32_t x = 0; x <= image_.width; ++x) {
        // What begins here goes east around a part; south, down the right of a pixel, around a
        // hole.
        for (const Edge edge : {Edge{{x, y}, 0}, Edge{{x, y}, 1}}) {
          const bool top = edge.direction == 0 || set(y - 1, x);
          if (is_edge(edge) && top && walked_.count(edge) == 0) found.push_back(walk(edge));
        }
      }
    }
    return found;
  }

 private:
  bool set(int64_t y, int64_t x) const { return image_.inside(y, x) && image_.at(y, x) != 0; }

  // Whether the pixel to the right is set and that to the left is not.
  bool is_edge(Edge edge) const {
    const auto [x, y] = edge.from;
    switch (edge.direction) {
      case 0:
        return set(y, x) && !set(y - 1, x);
      case 1:
        return set(y, x - 1) && !set(y, x);
      case 2:
        return set(y - 1, x - 1) && !set(y, x - 1);
      default:
        return set(y - 1, x) && !set(y - 1, x - 1);
    }
  }

  Edge next(Edge edge) const {
    const Corner corner = after(edge);
    const int right = (edge.direction + 1) % 4;
    const int left = (edge.direction + 3) % 4;
    for (const int turn :
         {right_first_ ? right : left, edge.direction, right_first_ ? left : right}) {
      if (is_edge({corner, turn})) return {corner, turn};
    }
    std::abort();
  }

  Ring walk(Edge start) {
    Ring ring;
    Edge edge = start;
    do {
      walked_[edge] = true;
      const Edge following = next(edge);
      if (following.direction != edge.direction) ring.push_back(following.from);
      edge = following;
    } while (edge < start || start < edge);
    std::rotate(ring.begin(), ring.end() - 1, ring.end());
    return ring;
  }

  const Image& image_;
  bool right_first_;
  std::map<Edge, bool> walked_;
};

std::vector<Ring> rings_of(const Contours& contours) {
  std::vector<Ring> rings;
  for (size_t i = 0; i + 1 < contours.offsets.size(); ++i) {
    Ring ring;
    for (int64_t p = contours.offsets[i]; p < contours.offsets[i + 1]; ++p) {
      const auto at = static_cast<size_t>(2 * p);
      ring.push_back({contours.points[at], contours.points[at + 1]});
    }
    rings.push_back(ring);
  }
  return rings;
}

int64_t twice_area(const Ring& ring) {
  int64_t sum = 0;
  for (size_t i = 0; i < ring.size(); ++i) {
    const Corner a = ring[i];
    const Corner b = ring[(i + 1) % ring.size()];
    sum += int64_t{a[0]} * b[1] - int64_t{b[0]} * a[1];
  }
  return sum;
}

// Whether the middle of the pixel at (y, x) lies inside.
bool contains(const Ring& ring, int64_t y, int64_t x) {
  bool inside = false;
  for (size_t i = 0; i < ring.size(); ++i) {
    const Corner a = ring[i];
    const Corner b = ring[(i + 1) % ring.size()];
    inside ^= a[0] == b[0] && a[0] > x && std::min(a[1], b[1]) <= y && y < std::max(a[1], b[1]);
  }
  return inside;
}

// The smallest ring around the first pixel of ring `i`, or around the pixel left of it for a hole.
int32_t parent_of(const std::vector<Ring>& rings, size_t i) {
  const auto [x, y] = rings[i][0];
  int32_t found = -1;
  for (size_t other = 0; other < i; ++other) {
    if (!contains(rings[other], y, x)) continue;
    if (found < 0 || std::abs(twice_area(rings[other])) <
                         std::abs(twice_area(rings[static_cast<size_t>(found)]))) {
      found = static_cast<int32_t>(other);
    }
  }
  return found;
}

bool equal(const Contours& a, const Contours& b) {
  const auto same = [](const auto& first, const auto& second) {
    return std::equal(first.begin(), first.end(), second.begin(), second.end());
  };
  return same(a.points, b.points) && same(a.offsets, b.offsets) && same(a.parents, b.parents) &&
         same(a.holes, b.holes) && same(a.twice_areas, b.twice_areas);
}

void check(const Image& image, bool wide, Connectivity connectivity) {
  const std::string about = name(image) + (wide ? ", wide" : "");
  const Mask mask(image.pixels, wide);
  Contours edge;
  constexpr int64_t kAny = INT64_MAX;
  const auto run = [&](Outline outline, int64_t most, size_t strips, Contours& out) {
    return contours(mask.view(), image.width, outline, connectivity, most, strips, out).status;
  };
  expect(run(Outline::edge, kAny, 1, edge) == Status::ok, about + ": contours");
  const std::vector<Ring> rings = rings_of(edge);
  expect(rings == Walker(image, connectivity).rings(), about + ": rings");
  for (size_t i = 0; i < rings.size(); ++i) {
    expect(edge.twice_areas[i] == twice_area(rings[i]), about + ": area");
    expect((edge.holes[i] != 0) == (twice_area(rings[i]) < 0), about + ": hole");
    expect(edge.parents[i] == parent_of(rings, i), about + ": parent");
  }

  Contours center;
  expect(run(Outline::center, kAny, 1, center) == Status::ok, about + ": centers");
  expect(std::equal(center.parents.begin(), center.parents.end(), edge.parents.begin(),
                    edge.parents.end()),
         about + ": the same rings");
  for (const size_t strips : {size_t{2}, size_t{3}, size_t{90}}) {
    Contours again, again_center;
    expect(run(Outline::edge, kAny, strips, again) == Status::ok && equal(again, edge),
           about + ": strips");
    expect(run(Outline::center, kAny, strips, again_center) == Status::ok &&
               equal(again_center, center),
           about + ": strips, centers");
  }

  const auto corners = static_cast<int64_t>(edge.points.size() / 2);
  Contours limited, refused;
  expect(run(Outline::edge, corners, 2, limited) == Status::ok, about + ": as many as allowed");
  expect(corners == 0 || run(Outline::edge, corners - 1, 2, refused) == Status::too_many_corners,
         about + ": one more than allowed");
}

void check_all() {
  for (int round = 0; round < 300; ++round) {
    const Image image = random_image({1 + below(14), 1 + below(20)});
    check(image, round % 2 != 0, round % 4 < 2 ? Connectivity::four : Connectivity::eight);
  }
  for (const Size size :
       {Size{0, 0}, Size{0, 5}, Size{5, 0}, Size{1, 1}, Size{70, 1}, Size{1, 70}}) {
    check(random_image(size), false, Connectivity::eight);
  }
}

}  // namespace

int main() {
  check_all();
  return outcome();
}
