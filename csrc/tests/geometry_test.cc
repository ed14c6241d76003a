// Geometry and polygons against models that move one pixel at a time, on every kernel set and with
// runs of either width.
#include "geometry.h"

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "harness.h"
#include "polygons.h"
#include "resize.h"

namespace {

using namespace runmask;
using namespace runmask::testing;

int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }

Size random_size() {
  const int64_t sides[] = {0, 1, 2, 7, 63, 64, 65, 130};
  const auto side = [&] { return below(2) == 0 ? sides[below(8)] : below(40); };
  return {side(), side()};
}

using Operation = std::function<Result(const AnyRuns&, AnyArrays&)>;

// In all four pairs of widths in and out, or in two.
void check(const Image& image, const Image& want, const std::string& what, const Operation& call,
           bool alike = false) {
  for (const bool wide_in : {false, true}) {
    const Mask in(image.pixels, wide_in);
    for (const bool wide_out : {false, true}) {
      if (alike && wide_in != wide_out) continue;
      Mask out(wide_out);
      const Result result = call(in.view(), out.arrays);
      expect(gave(result, out, want.pixels), what + " of " + name(image));
    }
  }
}

void check_place(const Image& image) {
  const Size size = image;
  Placement to = {random_size(), between(-150, 150), between(-150, 150), below(2) == 0};
  if (below(4) == 0) to.left = 0, to.size.width = size.width;
  if (below(4) == 0) to = {{size.height + 3, size.width + 2}, 1, below(3), to.value};
  Image want(to.size, to.value);
  for (int64_t y = 0; y < to.size.height; ++y) {
    for (int64_t x = 0; x < to.size.width; ++x) {
      const int64_t from_y = y - to.top;
      const int64_t from_x = x - to.left;
      if (from_y < 0 || from_y >= size.height || from_x < 0 || from_x >= size.width) continue;
      want.at(y, x) = image.at(from_y, from_x);
    }
  }
  check(image, want, "place",
        [&](const AnyRuns& runs, AnyArrays& out) { return place(runs, size, to, out); });
}

void check_orient(const Image& image) {
  const Size size = image;
  for (int way = 0; way < 8; ++way) {
    const bool transposed = way & 1;
    const bool rows = way & 2;
    const bool columns = way & 4;
    Image want(transposed ? Size{size.width, size.height} : size);
    for (int64_t y = 0; y < size.height; ++y) {
      for (int64_t x = 0; x < size.width; ++x) {
        int64_t to_y = transposed ? x : y;
        int64_t to_x = transposed ? y : x;
        if (rows) to_y = want.height - 1 - to_y;
        if (columns) to_x = want.width - 1 - to_x;
        want.at(to_y, to_x) = image.at(y, x);
      }
    }
    check(
        image, want, "orient",
        [&](const AnyRuns& runs, AnyArrays& out) {
          return orient(runs, size, transposed, rows, columns, out);
        },
        true);
  }
}

void check_tile(const Image& image) {
  const int64_t down = below(4);
  const int64_t across = below(4);
  Image want({image.height * down, image.width * across});
  for (int64_t y = 0; y < want.height; ++y) {
    for (int64_t x = 0; x < want.width; ++x) {
      want.at(y, x) = image.at(y % image.height, x % image.width);
    }
  }
  check(image, want, "tile",
        [&](const AnyRuns& runs, AnyArrays& out) { return tile(runs, image, down, across, out); });
}

// Masks of both widths below and beside each other.
void check_together() {
  const size_t count = static_cast<size_t>(below(5));
  const Size common = random_size();
  for (const bool beside : {false, true}) {
    std::vector<Image> images;
    std::deque<Mask> made;  // which stay where they are
    std::vector<Part> parts;
    Size size = beside ? Size{common.height, 0} : Size{0, common.width};
    for (size_t i = 0; i < count; ++i) {
      const Size one = beside ? Size{common.height, below(70)} : Size{below(30), common.width};
      images.push_back(random_image(one));
      (beside ? size.width : size.height) += beside ? one.width : one.height;
    }
    Image want(size);
    int64_t at = 0;
    for (const Image& image : images) {
      for (int64_t y = 0; y < image.height; ++y) {
        for (int64_t x = 0; x < image.width; ++x) {
          want.at(beside ? y : at + y, beside ? at + x : x) = image.at(y, x);
        }
      }
      at += beside ? image.width : image.height;
    }
    for (size_t i = 0; i < count; ++i) {
      const Mask& one = made.emplace_back(images[i].pixels, below(2) == 0);
      parts.push_back({one.view(), images[i]});
    }
    for (const bool wide : {false, true}) {
      Mask out(wide);
      const Result result =
          beside ? join(parts.data(), count, out.arrays) : stack(parts.data(), count, out.arrays);
      expect(gave(result, out, want.pixels), beside ? "join" : "stack");
    }
  }
}

void check_resize(const Image& image, Size to) {
  const Size from = image;
  Image want(to);
  for (int64_t y = 0; y < to.height && from.height > 0; ++y) {
    for (int64_t x = 0; x < to.width && from.width > 0; ++x) {
      want.at(y, x) = image.at((2 * y + 1) * from.height / (2 * to.height),
                               (2 * x + 1) * from.width / (2 * to.width));
    }
  }
  for (const auto route : {ResizeRoute::measured, ResizeRoute::runs, ResizeRoute::pixels}) {
    check(image, want, "resize to " + name(to),
          [&](const AnyRuns& runs, AnyArrays& out) { return resize(runs, from, to, out, route); });
  }
}

struct Polygon {
  std::vector<int64_t> points, offsets = {0};
  Rings rings() const { return {points.data(), offsets.data(), offsets.size() - 1}; }
};

Polygon random_polygon(Size size, int64_t unit, int64_t beyond) {
  Polygon polygon;
  const int64_t grid = below(2) == 0 ? unit : std::max<int64_t>(unit / 2, 1);  // often on centres
  for (int64_t ring = below(4); ring > 0; --ring) {
    for (int64_t i = below(9); i > 0; --i) {
      polygon.points.push_back(between(-beyond, size.width + beyond) * unit +
                               (below(3) == 0 ? 0 : below(unit / grid + 1) * grid));
      polygon.points.push_back(between(-beyond, size.height + beyond) * unit +
                               (below(3) == 0 ? 0 : below(unit)));
    }
    polygon.offsets.push_back(static_cast<int64_t>(polygon.points.size() / 2));
  }
  return polygon;
}

// Whether edges to the left of the centre, or through it, are odd in number.
bool holds_center(const Polygon& polygon, int64_t y, int64_t x) {
  const int64_t center_x = x * kSubpixels + kSubpixels / 2;
  const int64_t center_y = y * kSubpixels + kSubpixels / 2;
  bool inside = false;
  for (size_t ring = 0; ring + 1 < polygon.offsets.size(); ++ring) {
    const int64_t first = polygon.offsets[ring];
    const int64_t last = polygon.offsets[ring + 1];
    for (int64_t i = first; i < last; ++i) {
      const int64_t* a = &polygon.points[static_cast<size_t>(2 * i)];
      const int64_t* b = &polygon.points[static_cast<size_t>(2 * (i + 1 == last ? first : i + 1))];
      if (a[1] > b[1]) std::swap(a, b);
      if (center_y < a[1] || center_y >= b[1]) continue;
      const auto side = static_cast<__int128>(center_x - a[0]) * (b[1] - a[1]) -
                        static_cast<__int128>(center_y - a[1]) * (b[0] - a[0]);
      inside ^= side >= 0;
    }
  }
  return inside;
}

void check_centers(Size size, int64_t beyond) {
  const Polygon polygon = random_polygon(size, kSubpixels, beyond);
  Image want(size);
  for (int64_t y = 0; y < size.height; ++y) {
    for (int64_t x = 0; x < size.width; ++x) want.at(y, x) = holds_center(polygon, y, x);
  }
  for (const bool wide : {false, true}) {
    Mask out(wide);
    const Result result = fill_centers(polygon.rings(), size, out.arrays);
    expect(gave(result, out, want.pixels), "fill_centers in " + name(size));
  }
}

// Lines alone, inside the image: two points make no inside. The tests of the bridge hold the rest
// against cv2; here it must not leave the image.
void check_lines(Size size, int64_t beyond) {
  if (size.height == 0 || size.width == 0) return;
  Polygon line;
  line.offsets.push_back(2);
  const int64_t x0 = below(size.width), y0 = below(size.height);
  const int64_t x1 = between(x0, size.width - 1), y1 = below(size.height);
  line.points = {x0, y0, x1, y1};
  Image want(size);
  const int64_t across = x1 - x0;
  const int64_t down = std::abs(y1 - y0);
  const int64_t longer = std::max(across, down);
  for (int64_t i = 0; i <= longer; ++i) {
    const int64_t other =
        longer == 0 ? 0 : (2 * std::min(across, down) * i + longer - 1) / (2 * longer);
    const int64_t y = down > across ? i : other;
    want.at(y1 < y0 ? y0 - y : y0 + y, x0 + (down > across ? other : i)) = 1;
  }
  Mask out(false);
  expect(gave(fill_like_cv2(line.rings(), size, out.arrays), out, want.pixels),
         "a line in " + name(size));

  const Polygon polygon = random_polygon(size, 1, beyond);
  Mask narrow(false);
  Mask wide(true);
  expect(fill_like_cv2(polygon.rings(), size, narrow.arrays).status == Status::ok, "fill");
  const Result result = fill_like_cv2(polygon.rings(), size, wide.arrays);
  Image decoded(size);
  decode(narrow.view(), 0, decoded.pixels.size(), 0, 1, decoded.pixels.data());
  expect(gave(result, wide, decoded.pixels), "fill_like_cv2 in " + name(size));
}

bool equal(const Mask& made, const std::vector<int64_t>& starts,
           const std::vector<int64_t>& lengths) {
  const auto found = made.view().as<int64_t>();
  bool same = made.arrays.wide && found.count == starts.size();
  for (size_t i = 0; same && i < found.count; ++i) {
    same = found.starts[i] == starts[i] && found.lengths[i] == lengths[i];
  }
  return same;
}

// The largest image there is: time and memory follow the runs.
void check_huge() {
  const int64_t side = 2147483647;
  const Size size = {side, side};
  const int64_t total = side * side;
  const std::vector<int64_t> starts = {0, 7 * side, total - 10};
  const std::vector<int64_t> lengths = {5, 2000000000 * side, 10};
  const AnyRuns runs = {starts.data(), lengths.data(), 3, true};
  const auto check_runs = [&](const std::string& what, const std::vector<int64_t>& want_starts,
                              const std::vector<int64_t>& want_lengths, const Operation& call) {
    Mask made(true);
    expect(call(runs, made.arrays).status == Status::ok, what);
    expect(equal(made, want_starts, want_lengths), what);
  };
  const int64_t below_it = side - 7 - 2000000000;
  check_runs("flip rows", {side - 10, below_it * side, total - side}, {10, lengths[1], 5},
             [&](auto& in, auto& out) { return flip(in, size, true, false, out); });
  check_runs("flip columns", {side - 5, 7 * side, total - side}, lengths,
             [&](auto& in, auto& out) { return flip(in, size, false, true, out); });
  check_runs("flip both", {0, below_it * side, total - 5}, {10, lengths[1], 5},
             [&](auto& in, auto& out) { return flip(in, size, true, true, out); });
  check_runs("move down", {3 * side, 10 * side}, {5, lengths[1]},
             [&](auto& in, auto& out) { return place(in, size, {size, 3, 0, false}, out); });
  check_runs("reduce", {0}, {7 * 8},
             [&](auto& in, auto& out) { return resize(in, size, {8, 8}, out); });
}

void check_all() {
  for (int i = 0; i < 400; ++i) {
    const Image image = random_image(random_size());
    check_place(image);
    check_place(image);
    check_orient(image);
    check_tile(image);
    check_together();
    check_resize(image, random_size());
    check_centers(random_size(), 5);
    check_lines(random_size(), 20);
  }
  for (int i = 0; i < 20; ++i) {
    check_resize(random_image({3, 40000}), {between(1, 6), between(1, 50000)});
    check_centers({9, 9}, int64_t{1} << 30);
    check_lines({9, 9}, int64_t{1} << 29);
  }
}

}  // namespace

int main(int argc, char** argv) {
  on_each_kernel_set(argc, argv, check_all);
  check_huge();
  return outcome();
}
