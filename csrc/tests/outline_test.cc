// Rings drawn as lines against the distance of every sample to every segment.
#include "outline.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "harness.h"

namespace {

using namespace runmask;
using testing::below;
using testing::expect;

struct Rings {
  std::vector<int32_t> points;
  std::vector<int64_t> offsets = {0};

  FlatRings flat() const { return {points.data(), offsets.data(), offsets.size() - 1}; }
};

// Of one point and of some, in the image and outside, slanted, level and upright.
Rings random_rings(int64_t height, int64_t width) {
  Rings rings;
  for (int64_t ring = below<int64_t>(4); ring >= 0; --ring) {
    const int64_t count = 1 + below<int64_t>(6);
    const bool steps = below(2) == 0;
    for (int64_t i = 0; i < count; ++i) {
      auto x = static_cast<int32_t>(below(width + 9) - 4);
      auto y = static_cast<int32_t>(below(height + 9) - 4);
      if (steps && i > 0) (i % 2 == 0 ? x : y) = rings.points[rings.points.size() - 2 + (i % 2)];
      rings.points.insert(rings.points.end(), {x, y});
    }
    rings.offsets.push_back(static_cast<int64_t>(rings.points.size() / 2));
  }
  return rings;
}

// Whether a sample is closer to the rings than the reach, or just so far and `ties`.
bool is_drawn(const Rings& rings, int64_t fine, bool centers, double reach, bool ties, int64_t y,
              int64_t x) {
  for (size_t ring = 0; ring + 1 < rings.offsets.size(); ++ring) {
    const int64_t begin = rings.offsets[ring], count = rings.offsets[ring + 1] - begin;
    const auto at = [&](int64_t i, int64_t axis) {
      const int32_t value = rings.points[static_cast<size_t>(2 * (begin + i % count) + axis)];
      return fine * (2 * int64_t{value} + centers);
    };
    for (int64_t i = 0; i < count; ++i) {
      const int64_t dx = at(i + 1, 0) - at(i, 0), dy = at(i + 1, 1) - at(i, 1);
      const int64_t vx = 2 * x + 1 - at(i, 0), vy = 2 * y + 1 - at(i, 1);
      const int64_t square = dx * dx + dy * dy, along = vx * dx + vy * dy;
      const int64_t across = vx * dy - vy * dx;
      const bool beside = along > 0 && along < square;
      const int64_t to_end = (vx - dx) * (vx - dx) + (vy - dy) * (vy - dy);
      const int64_t apart = beside ? across * across : std::min(vx * vx + vy * vy, to_end);
      const double limit = reach * reach * (beside ? static_cast<double>(square) : 1);
      if (static_cast<double>(apart) < limit) return true;
      if (ties && static_cast<double>(apart) == limit) return true;
    }
  }
  return false;
}

void check_outline(int64_t height, int64_t width) {
  const double widths[] = {1, 1.5, 2, 3, 4.25, 17};
  const bool centers = below(2) == 0, smooth = below(2) == 0, wide = below(2) == 0;
  const Line line = {widths[below(6)], smooth, {{255, 255, 255}, 255}};
  const int64_t fine = smooth ? 8 : 1;
  const testing::Image pixels = testing::random_image({height, width});
  const testing::Mask mask(pixels.pixels, wide);
  const Rings rings = random_rings(height, width);

  std::vector<uint8_t> want(pixels.pixels.size());
  for (int64_t y = 0; y < height * fine; ++y) {
    for (int64_t x = 0; x < width * fine; ++x) {
      const bool ties = pixels.at(y / fine, x / fine) != 0;
      const double reach = line.width * static_cast<double>(fine);
      want[static_cast<size_t>(y / fine * width + x / fine)] +=
          is_drawn(rings, fine, centers, reach, ties, y, x);
    }
  }
  for (uint8_t& count : want) {  // the alpha, and so the grey over black
    count = static_cast<uint8_t>((2 * 255 * count + fine * fine) / (2 * fine * fine));
  }

  const auto columns = static_cast<size_t>(width);
  const size_t top = below(static_cast<size_t>(height));
  const size_t bottom = top + 1 + below(static_cast<size_t>(height) - top);
  std::vector<uint8_t> image((bottom - top) * columns);
  const Target target = {image.data(), {static_cast<ptrdiff_t>(width), 1, 1}};
  const int threads = 1 + below(3);
  expect(outline(rings.flat(), centers, mask.view(), line, target, columns, {1, 1}, top, bottom,
                 threads)
                 .status == Status::ok,
         "outline succeeds");
  expect(std::equal(image.begin(), image.end(), &want[0] + top * columns),
         "outline of " + testing::name({height, width}));
}

void check_all() {
  for (int i = 0; i < 150; ++i) {
    check_outline(1 + below<int64_t>(12), 1 + below<int64_t>(i % 10 == 0 ? 150 : 20));
  }
}

}  // namespace

int main(int argc, char** argv) {
  testing::on_each_kernel_set(argc, argv, check_all);
  return testing::outcome();
}
