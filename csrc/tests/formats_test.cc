// The wire forms and the transposition against slow and obvious models, on every kernel set this
// processor has.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "brush.h"
#include "coco.h"
#include "coco_polygon.h"
#include "harness.h"
#include "numerals.h"
#include "png.h"
#include "transpose.h"

namespace {

using namespace runmask;
using namespace runmask::testing;

void check_transpose(size_t height, size_t width, bool wide) {
  const Size size = {static_cast<int64_t>(height), static_cast<int64_t>(width)};
  const Pixels pixels = random_image(size).pixels;
  Pixels turned(pixels.size());
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) turned[x * height + y] = pixels[y * width + x];
  }
  const Mask runs(pixels, wide);
  const Mask expected(turned, wide);
  for (const TransposeRoute route :
       {TransposeRoute::measured, TransposeRoute::runs, TransposeRoute::bits}) {
    Mask out(wide);
    const Result result = transpose(runs.view(), size.height, size.width, out.arrays, route);
    expect(result.status == Status::ok && same(out.view(), expected.view()),
           "transpose of " + name(size) + ", route " + std::to_string(static_cast<int>(route)));
  }
}

std::vector<int64_t> model_counts(const Pixels& pixels) {
  std::vector<int64_t> counts = {0};
  uint8_t value = 0;
  for (const uint8_t pixel : pixels) {
    if (pixel != value) counts.push_back(0);
    value = pixel;
    ++counts.back();
  }
  return counts;
}

std::string model_string(const std::vector<int64_t>& counts) {
  std::string text;
  for (size_t i = 0; i < counts.size(); ++i) {
    int64_t number = i > 2 ? counts[i] - counts[i - 2] : counts[i];
    for (bool more = true; more;) {
      const int64_t group = number & 31;
      number >>= 5;
      more = group & 16 ? number != -1 : number != 0;
      text += static_cast<char>(48 + group + (more ? 32 : 0));
    }
  }
  return text;
}

void check_counts(const Pixels& pixels, bool wide) {
  const auto total = static_cast<int64_t>(pixels.size());
  const Mask runs(pixels, wide);
  const std::vector<int64_t> counts = model_counts(pixels);
  Array<int64_t> written;
  expect(write_counts(runs.view(), total, written).status == Status::ok &&
             std::equal(written.begin(), written.end(), counts.begin(), counts.end()),
         "write_counts");
  Array<char> text;
  const std::string expected = model_string(counts);
  expect(write_coco_string(runs.view(), total, text).status == Status::ok &&
             std::string(text.data(), text.size()) == expected,
         "write_coco_string");

  std::vector<int64_t> split = counts;  // zeros between, that mean nothing
  for (size_t i = 0; i < 3; ++i) {
    const size_t at = below(split.size());
    const int64_t part = static_cast<int64_t>(below(static_cast<size_t>(split[at]) + 1));
    const int64_t rest[] = {0, split[at] - part};
    split[at] = part;
    split.insert(split.begin() + static_cast<ptrdiff_t>(at) + 1, rest, rest + 2);
  }
  Mask a(wide), b(wide), c(wide);
  expect(read_counts(split.data(), split.size(), total, true, a.arrays).status == Status::ok &&
             same(a.view(), runs.view()),
         "read_counts");
  const std::string odd = model_string(split);
  expect(read_coco_string(odd.data(), odd.size(), total, b.arrays).status == Status::ok &&
             same(b.view(), runs.view()),
         "read_coco_string");

  const Result more = read_counts(counts.data(), counts.size(), total - 1, true, c.arrays);
  expect(total == 0 || (more.status == Status::counts_past_end && more.at == counts.size() - 1),
         "read_counts refuses what is too long");
  Mask d(wide), e(wide);
  expect(read_coco_string(expected.data(), expected.size(), total + 1, d.arrays).status ==
             Status::counts_short,
         "read_coco_string refuses what is too short");
  expect(
      read_counts(counts.data(), counts.size(), total + 1, false, e.arrays).status == Status::ok &&
          same(e.view(), runs.view()),
      "read_counts fills up");
}

// Counts of all sizes, there and back, and in a string that is damaged: then every set says what
// the scalar one says.
void check_long_string(bool wide) {
  std::vector<int64_t> counts(1 + below(600));
  const size_t most = wide ? 50 : 20;
  const size_t bits = 1 + below(most);
  int64_t total = 0;
  for (int64_t& count : counts) {
    count = static_cast<int64_t>(1 + below(size_t{1} << (below(4) == 0 ? bits : 1 + below(4))));
    total += count;
  }
  Mask runs(wide), back(wide);
  Array<char> text;
  const std::string expected = model_string(counts);
  expect(read_counts(counts.data(), counts.size(), total, true, runs.arrays).status == Status::ok &&
             write_coco_string(runs.view(), total, text).status == Status::ok &&
             std::string(text.data(), text.size()) == expected,
         "write_coco_string of large counts");
  const std::vector<char> exact(expected.begin(), expected.end());  // its own end, for sanitizers
  expect(read_coco_string(exact.data(), exact.size(), total, back.arrays).status == Status::ok &&
             same(back.view(), runs.view()),
         "read_coco_string of large counts");

  std::vector<char> damaged(exact.begin(), exact.end() - static_cast<ptrdiff_t>(below(2)));
  for (size_t i = below(3); i > 0 && !damaged.empty(); --i) {
    damaged[below(damaged.size())] = static_cast<char>(40 + below(80));
  }
  const char* set = kernels().name;
  Mask here(wide), scalar(wide);
  const Result one = read_coco_string(damaged.data(), damaged.size(), total, here.arrays);
  expect(use_kernels("scalar"), "the scalar set can be chosen");
  const Result other = read_coco_string(damaged.data(), damaged.size(), total, scalar.arrays);
  expect(use_kernels(set), "the set can be chosen");
  expect(one.status == other.status && one.at == other.at,
         "what is wrong with a string, and where");
  expect(one.status != Status::ok || same(here.view(), scalar.view()), "a string that is damaged");
}

void check_brush(const Pixels& pixels, bool wide) {
  const auto total = static_cast<int64_t>(pixels.size());
  const Mask runs(pixels, wide);
  Array<uint8_t> data;
  expect(write_brush(runs.view(), total, data).status == Status::ok, "write_brush");
  Mask back(wide);
  expect(read_brush(data.data(), data.size(), total, 254, back.arrays).status == Status::ok &&
             same(back.view(), runs.view()),
         "brush there and back");
  for (size_t size = 0; size + 1 < data.size(); size += 1 + below(20)) {
    const std::vector<uint8_t> cut(data.data(), data.data() + size);  // its own end, for sanitizers
    Mask none(wide);
    expect(read_brush(cut.data(), size, total, 127, none.arrays).status == Status::cut_off,
           "a brush that is cut off");
  }
}

// Bytes of any kind must give some answer and stay in their memory.
void check_noise() {
  std::string bytes(below(60), '\0');
  const bool near = below(2) == 0;
  for (char& byte : bytes) byte = static_cast<char>(near ? 48 + below(64) : below(256));
  const auto* octets = reinterpret_cast<const uint8_t*>(bytes.data());
  Mask a(true), b, c;
  (void)read_coco_string(bytes.data(), bytes.size(), int64_t{1} << 62, a.arrays);
  (void)read_coco_string(bytes.data(), bytes.size(), 1000, b.arrays);
  if (bytes.size() > 6 && below(2) == 0) {
    const uint8_t head[6] = {0, 0, 1, 0, 57, 27};  // 64 pixels
    std::copy(head, head + 6, bytes.begin());
  }
  (void)read_brush(octets, bytes.size(), 64, 127, c.arrays);
  Array<int64_t> numbers;
  (void)read_numerals(bytes.data(), bytes.size(), numbers);
}

void check_numerals() {
  std::vector<int64_t> numbers(below(50));
  for (int64_t& number : numbers) {
    number = static_cast<int64_t>(random_bits()) >> below(64);
  }
  Array<char> text;
  Array<int64_t> back;
  expect(write_numerals(numbers.data(), numbers.size(), text).status == Status::ok &&
             read_numerals(text.data(), text.size(), back).status == Status::ok &&
             std::equal(back.begin(), back.end(), numbers.begin(), numbers.end()),
         "numerals there and back");
}

void check_filters() {
  const size_t rows = below(9);
  const size_t size = 1 + below(40);
  const size_t pixel = 1 + below(4);
  std::vector<uint8_t> data(rows * (size + 1));
  for (uint8_t& byte : data) byte = static_cast<uint8_t>(random_bits());
  for (size_t y = 0; y < rows; ++y) data[y * (size + 1)] = static_cast<uint8_t>(below(5));
  std::vector<uint8_t> model = data;
  for (size_t y = 0; y < rows; ++y) {
    for (size_t i = 0; i < size; ++i) {
      const auto at = [&](size_t row, size_t column) {
        return row < rows && column < size ? int{model[row * (size + 1) + 1 + column]} : 0;
      };
      const int left = at(y, i - pixel);  // what wraps around is outside
      const int up = at(y - 1, i);
      const int corner = at(y - 1, i - pixel);
      int near = left;
      for (const int other : {up, corner}) {
        if (std::abs(left + up - corner - other) < std::abs(left + up - corner - near))
          near = other;
      }
      const int foretold[] = {0, left, up, (left + up) / 2, near};
      uint8_t& byte = model[y * (size + 1) + 1 + i];
      byte = static_cast<uint8_t>(byte + foretold[model[y * (size + 1)]]);
    }
  }
  expect(undo_filters(data.data(), rows, size, pixel).status == Status::ok && data == model,
         "PNG filters");
}

// COCO's walk, step by step.
Pixels model_polygon(const std::vector<double>& points, int64_t height, int64_t width) {
  std::vector<int64_t> us, vs;
  const size_t count = points.size() / 2;
  for (size_t i = 0; i < count; ++i) {
    const auto fine = [&](size_t at) {
      return static_cast<int64_t>(5 * points[at % points.size()] + .5);
    };
    const int64_t ax = fine(2 * i), ay = fine(2 * i + 1);
    const int64_t bx = fine(2 * i + 2), by = fine(2 * i + 3);
    const int64_t dx = std::abs(bx - ax), dy = std::abs(by - ay);
    const int64_t steps = std::max(dx, dy);
    const bool turn = dx >= dy ? ax > bx : ay > by;
    const int64_t fx = turn ? bx : ax, fy = turn ? by : ay;
    const int64_t tx = turn ? ax : bx, ty = turn ? ay : by;
    for (int64_t d = 0; d <= steps; ++d) {
      const int64_t t = turn ? steps - d : d;
      const auto along = [&](int64_t from, int64_t to) {
        const double slope = static_cast<double>(to - from) / static_cast<double>(steps);
        return static_cast<int64_t>(static_cast<double>(from) + slope * static_cast<double>(t) +
                                    .5);
      };
      us.push_back(dx >= dy ? fx + t : along(fx, tx));
      vs.push_back(dx >= dy ? (steps == 0 ? fy : along(fy, ty)) : fy + t);
    }
  }
  Pixels pixels(static_cast<size_t>(height * width));  // down the columns
  for (size_t i = 1; i < us.size(); ++i) {
    const int64_t middle = std::min(us[i], us[i - 1]);
    if (us[i] == us[i - 1] || middle < 2 || middle % 5 != 2 || middle / 5 >= width) continue;
    const double row = (static_cast<double>(std::min(vs[i], vs[i - 1])) + .5) / 5 - .5;
    const double inside = std::clamp(row, 0., static_cast<double>(height));
    const int64_t first = middle / 5 * height + static_cast<int64_t>(std::ceil(inside));
    for (size_t p = static_cast<size_t>(first); p < pixels.size(); ++p) pixels[p] ^= 1;
  }
  return pixels;
}

void check_polygon() {
  const auto height = static_cast<int64_t>(1 + below(60));
  const auto width = static_cast<int64_t>(1 + below(60));
  std::vector<double> points(2 * (1 + below(8)));
  const double step = below(2) == 0 ? 10. : 1000.;
  for (double& point : points) {
    point = static_cast<double>(below(static_cast<size_t>(100 * step))) / step - 20;
  }
  const bool wide = below(2) == 0;
  const Mask expected(model_polygon(points, height, width), wide);
  Mask drawn(wide);
  expect(draw_coco_polygon(points.data(), points.size() / 2, height, width, drawn.arrays).status ==
                 Status::ok &&
             same(drawn.view(), expected.view()),
         "a polygon of COCO");
}

void check_all() {
  const size_t sides[] = {1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 130, 513, 600};
  for (const size_t height : sides) {
    for (const size_t width : sides) check_transpose(height, width, below(2) == 0);
  }
  check_transpose(3, 9000, true);
  check_transpose(9000, 3, false);
  for (const int64_t size : {0, 1, 2, 63, 64, 65, 300, 5000, 40001}) {
    for (int i = 0; i < 6; ++i) {
      const Pixels pixels = random_image({1, size}).pixels;
      check_counts(pixels, i % 2 == 0);
      check_brush(pixels, i % 2 == 0);
    }
  }
  for (int i = 0; i < 3000; ++i) {
    check_long_string(i % 2 == 0);
    check_noise();
    check_numerals();
    check_filters();
    check_polygon();
  }
}

}  // namespace

int main(int argc, char** argv) {
  on_each_kernel_set(argc, argv, check_all);
  return outcome();
}
