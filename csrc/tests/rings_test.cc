// Measures and simplification of rings: small drawings by brute force, nonsense for the sanitizers.
// Needs no framework: prints what fails and exits with 1.
#include "rings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "crossings.h"
#include "simplify.h"
#include "vertex_grid.h"

namespace {

using namespace runmask;

int failures = 0;

void expect(bool good, const std::string& what) {
  if (good) return;
  ++failures;
  if (failures < 20) std::printf("FAILED %s\n", what.c_str());
}

std::mt19937_64 random_bits(42);

int64_t below(int64_t bound) {
  return static_cast<int64_t>(random_bits() % static_cast<uint64_t>(bound));
}

using Ring = std::vector<Spot>;

struct Drawing {
  std::vector<int32_t> points;
  std::vector<int64_t> offsets = {0};

  void add(const Ring& ring) {
    for (const Spot p : ring) {
      points.push_back(static_cast<int32_t>(p.x));
      points.push_back(static_cast<int32_t>(p.y));
    }
    offsets.push_back(static_cast<int64_t>(points.size() / 2));
  }
  FlatRings rings() const { return {points.data(), offsets.data(), offsets.size() - 1}; }
};

std::vector<Ring> split(const int32_t* points, const int64_t* offsets, size_t count) {
  std::vector<Ring> rings(count);
  for (size_t i = 0; i < count; ++i) {
    for (int64_t p = offsets[i]; p < offsets[i + 1]; ++p) {
      rings[i].push_back({points[2 * p], points[2 * p + 1]});
    }
  }
  return rings;
}

int64_t twice_area(const Ring& ring) {
  int64_t sum = 0;
  for (size_t i = 0; i < ring.size(); ++i) {
    const Spot a = ring[i], b = ring[(i + 1) % ring.size()];
    sum += a.x * b.y - b.x * a.y;
  }
  return sum;
}

// The rings of all pixels that are set, each pixel turning right where two meet in a corner.
Drawing trace(const std::vector<uint8_t>& pixels, int64_t width, int64_t height) {
  const auto is_set = [&](int64_t x, int64_t y) {
    return x >= 0 && y >= 0 && x < width && y < height &&
           pixels[static_cast<size_t>(y * width + x)] != 0;
  };
  constexpr int kX[] = {1, 0, -1, 0}, kY[] = {0, 1, 0, -1};  // right, down, left, up
  std::map<std::array<int64_t, 2>, std::vector<int>> ways;   // from y, x
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      if (!is_set(x, y)) continue;
      if (!is_set(x, y - 1)) ways[{y, x}].push_back(0);
      if (!is_set(x + 1, y)) ways[{y, x + 1}].push_back(1);
      if (!is_set(x, y + 1)) ways[{y + 1, x + 1}].push_back(2);
      if (!is_set(x - 1, y)) ways[{y + 1, x}].push_back(3);
    }
  }
  Drawing drawing;
  for (auto& [start, first_ways] : ways) {
    while (!first_ways.empty()) {
      int way = first_ways.front();
      first_ways.erase(first_ways.begin());
      std::array<int64_t, 2> at = start;
      Ring ring = {{at[1], at[0]}};
      while (true) {
        at = {at[0] + kY[way], at[1] + kX[way]};
        if (at == start) break;
        std::vector<int>& next = ways[at];
        auto turn = std::find(next.begin(), next.end(), (way + 1) % 4);
        if (turn == next.end()) turn = next.begin();
        if (*turn != way) ring.push_back({at[1], at[0]});
        way = *turn;
        next.erase(turn);
      }
      drawing.add(ring);
    }
  }
  return drawing;
}

int side(Spot a, Spot b, Spot p) {
  const int64_t turn = cross(a, b, p);
  return turn > 0 ? 1 : turn < 0 ? -1 : 0;
}

bool is_on(Spot a, Spot b, Spot p) {
  return cross(a, b, p) == 0 && (p.x - a.x) * (p.x - b.x) <= 0 && (p.y - a.y) * (p.y - b.y) <= 0;
}

bool same(Spot a, Spot b) { return a.x == b.x && a.y == b.y; }

bool cross_or_overlap(Spot a, Spot b, Spot c, Spot d) {
  if ((same(a, c) && same(b, d)) || (same(a, d) && same(b, c))) return false;
  for (const Spot p : {c, d}) {
    if (is_on(a, b, p) && !same(p, a) && !same(p, b)) return true;
  }
  for (const Spot p : {a, b}) {
    if (is_on(c, d, p) && !same(p, c) && !same(p, d)) return true;
  }
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

void check_no_crossing(const std::vector<Ring>& rings, const std::string& what) {
  std::vector<std::pair<Spot, Spot>> edges;
  for (const Ring& ring : rings) {
    for (size_t i = 0; i < ring.size(); ++i)
      edges.push_back({ring[i], ring[(i + 1) % ring.size()]});
  }
  bool good = true;
  for (const auto& [a, b] : edges) {
    for (const auto& [c, d] : edges) good = good && !cross_or_overlap(a, b, c, d);
  }
  expect(good, what + ": no edges cross");
}

std::vector<uint8_t> random_pixels(int64_t width, int64_t height) {
  std::vector<uint8_t> pixels(static_cast<size_t>(width * height));
  const int64_t percent = 10 + 20 * below(5), grain = 1 + below(3);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      auto& pixel = pixels[static_cast<size_t>(y * width + x)];
      pixel = x % grain + y % grain == 0
                  ? below(100) < percent
                  : pixels[static_cast<size_t>(y / grain * grain * width + x / grain * grain)];
    }
  }
  return pixels;
}

void check_simplify(const Drawing& drawing, double tolerance, Simplification method) {
  const std::string what = "simplify by " + std::to_string(tolerance) + " way " +
                           std::to_string(static_cast<int>(method));
  Array<int32_t> points;
  Array<int64_t> offsets;
  const FlatRings rings = drawing.rings();
  expect(simplify(rings, tolerance, method, points, offsets).status == Status::ok, what);
  expect(offsets.size() == rings.count + 1, what + ": as many rings");
  const auto before = split(rings.points, rings.offsets, rings.count);
  const auto after = split(points.data(), offsets.data(), rings.count);
  check_no_crossing(after, what);
  for (size_t i = 0; i < before.size(); ++i) {
    expect(twice_area(before[i]) > 0 ? twice_area(after[i]) > 0 : twice_area(after[i]) < 0,
           what + ": the same way round");
  }
}

void check_simplify_masks() {
  for (int round = 0; round < 250; ++round) {
    const int64_t width = 1 + below(14), height = 1 + below(14);
    const Drawing drawing = trace(random_pixels(width, height), width, height);
    for (const double tolerance : {0.0, 0.7, 1.0, 2.5, 100.0}) {
      for (const auto method : {Simplification::douglas_peucker, Simplification::visvalingam}) {
        check_simplify(drawing, tolerance, method);
      }
    }
  }
}

// Long lines in few layers and in many, of one ring; hulls of many blocks; grids in grids.
void check_simplify_large() {
  Ring zigzag, spiral;
  for (int64_t i = 0; i < 3000; ++i) zigzag.push_back({3 * i, i % 2 * (1 + i % 7)});
  zigzag.push_back({9000, 2000000000});
  for (int64_t i = 0; i < 2000; ++i) {
    const int64_t reach = 3 * (2000 - i);
    spiral.push_back({i % 4 < 2 ? reach : -reach, i % 4 == 1 || i % 4 == 2 ? reach : -reach});
  }
  for (const Ring& ring : {zigzag, spiral}) {
    Drawing drawing;
    drawing.add(ring);
    for (const double tolerance : {0.5, 3.0, 50.0, 1e5, 1e300}) {
      for (const auto method : {Simplification::douglas_peucker, Simplification::visvalingam}) {
        Array<int32_t> points;
        Array<int64_t> offsets;
        const Result result = simplify(drawing.rings(), tolerance, method, points, offsets);
        expect(result.status == Status::ok && offsets[1] >= 3, "long lines");
      }
    }
  }
}

void check_nonsense() {
  for (int round = 0; round < 2000; ++round) {
    const int64_t far = std::array<int64_t, 4>{2, 5, 100, 1 << 30}[static_cast<size_t>(below(4))];
    Drawing drawing;
    for (int64_t rings = below(6); rings >= 0; --rings) {
      Ring ring;
      for (int64_t count = below(12); count >= 0; --count) {
        ring.push_back({below(2 * far) - far, below(2 * far) - far});
      }
      drawing.add(ring);
      if (below(3) == 0) drawing.add(ring);
    }
    const FlatRings rings = drawing.rings();
    for (const auto method : {Simplification::douglas_peucker, Simplification::visvalingam}) {
      Array<int32_t> points;
      Array<int64_t> offsets;
      const Result result =
          simplify(rings, static_cast<double>(below(20)), method, points, offsets);
      expect(result.status == Status::ok && offsets.size() == rings.count + 1, "nonsense");
      for (size_t i = 0; i < rings.count; ++i)
        expect(offsets[i] < offsets[i + 1], "no ring is lost");
    }
  }
}

void check_contained() {
  for (int round = 0; round < 100; ++round) {
    const int64_t width = 1 + below(14), height = 1 + below(14);
    const auto pixels = random_pixels(width, height);
    const Drawing drawing = trace(pixels, width, height);
    std::vector<int64_t> queries;
    for (int64_t i = 0; i < width * height; ++i) {
      queries.push_back(i % width * kSubpixels + below(kSubpixels));
      queries.push_back(i / width * kSubpixels + below(kSubpixels));
    }
    std::vector<uint8_t> inside(pixels.size());
    expect(contain_points(drawing.rings(), queries.data(), pixels.size(), inside.data()).status ==
               Status::ok,
           "points");
    expect(inside == pixels, "pixels are where their rings are");
  }
}

void check_hulls() {
  for (int round = 0; round < 500; ++round) {
    const int64_t far = std::array<int64_t, 3>{2, 20, 1 << 30}[static_cast<size_t>(below(3))];
    Ring ring;
    for (int64_t count = below(40); count >= 0; --count) {
      ring.push_back({below(2 * far) - far, below(2 * far) - far});
    }
    Drawing drawing;
    drawing.add(ring);
    Array<int32_t> points;
    Array<int64_t> offsets;
    expect(convex_hulls(drawing.rings(), points, offsets).status == Status::ok, "hull");
    const Ring hull = split(points.data(), offsets.data(), 1)[0];
    bool good = true;
    for (size_t i = 0; hull.size() > 2 && i < hull.size(); ++i) {
      for (const Spot p : ring) good = good && side(hull[i], hull[(i + 1) % hull.size()], p) >= 0;
      good = good && side(hull[i], hull[(i + 1) % hull.size()], hull[(i + 2) % hull.size()]) > 0;
    }
    expect(good, "all points lie in the hull, which has a corner in each of its own");
    double corners[8], center[2], size[2], angle;
    const FlatRings hulls = {points.data(), offsets.data(), 1};
    expect(min_area_rects(hulls, {corners, center, size, &angle}).status == Status::ok, "rect");
    const double area = static_cast<double>(twice_area(hull)) / 2;
    expect(size[0] * size[1] >= area * (1 - 1e-12) && size[0] * size[1] <= 2 * area * (1 + 1e-12),
           "a rectangle is at most twice as large as the hull");
  }
}

void check_refusals() {
  const int32_t wide[] = {-1, 0, INT32_MAX, 0, 5, 5};
  const int64_t offsets[] = {0, 3};
  Array<int32_t> points;
  Array<int64_t> ends;
  const FlatRings rings = {wide, offsets, 1};
  expect(simplify(rings, 1, Simplification::visvalingam, points, ends).status == Status::bad_point,
         "rings that span too much");
  expect(convex_hulls(rings, points, ends).status == Status::bad_point, "hulls of such");
}

}  // namespace

int main() {
  check_simplify_masks();
  check_simplify_large();
  check_nonsense();
  check_contained();
  check_hulls();
  check_refusals();
  if (failures != 0) std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
