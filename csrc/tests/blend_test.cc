// Overlays and heatmaps against a slow and obvious model, pixel by pixel.
#include "blend.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "harness.h"
#include "heatmap.h"
#include "runs.h"

namespace {

using namespace runmask;

using testing::expect;

size_t below(size_t bound) { return testing::below(bound); }

// An image in memory of its own, at strides of any sign, with bytes of nobody's between its
// samples.
struct Image {
  size_t height, width;
  Format format;
  Strides strides;
  std::vector<uint8_t> memory;
  size_t first = 0;

  uint8_t* at(size_t y, size_t x, size_t c) {
    return &memory[0] + static_cast<ptrdiff_t>(first) + static_cast<ptrdiff_t>(y) * strides.row +
           static_cast<ptrdiff_t>(x) * strides.pixel + static_cast<ptrdiff_t>(c) * strides.sample;
  }
  uint32_t get(size_t y, size_t x, size_t c) {
    if (format.depth == 1) return *at(y, x, c);
    uint16_t value;
    std::memcpy(&value, at(y, x, c), 2);
    return value;
  }
  void set(size_t y, size_t x, size_t c, uint32_t value) {
    if (format.depth == 1) {
      *at(y, x, c) = static_cast<uint8_t>(value);
    } else {
      const auto sample = static_cast<uint16_t>(value);
      std::memcpy(at(y, x, c), &sample, 2);
    }
  }
  Source source() { return {at(0, 0, 0), strides}; }
  Target target() { return {at(0, 0, 0), strides}; }
};

// `kind` 0: touching pixels; 1: rows apart; 2: anything.
Image make_image(size_t height, size_t width, Format format, size_t kind) {
  Image image = {height, width, format, {}, {}};
  const auto depth = static_cast<ptrdiff_t>(format.depth);
  const auto channels = static_cast<ptrdiff_t>(format.channels);
  const auto h = static_cast<ptrdiff_t>(height), w = static_cast<ptrdiff_t>(width);
  if (kind < 2) {
    const ptrdiff_t gap = kind == 0 ? 0 : static_cast<ptrdiff_t>(below(50));
    image.strides = {w * channels * depth + gap, channels * depth, depth};
  } else if (below(2) == 0) {  // planes
    image.strides = {w * depth, depth, h * w * depth};
  } else {  // gaps everywhere, which need not be whole samples
    const ptrdiff_t pixel = (channels + 1) * depth + static_cast<ptrdiff_t>(below(2));
    image.strides = {w * pixel + static_cast<ptrdiff_t>(below(9)), pixel, depth};
  }
  const size_t sizes[] = {height, width, format.channels};
  ptrdiff_t* strides[] = {&image.strides.row, &image.strides.pixel, &image.strides.sample};
  ptrdiff_t last = depth, start = 0;
  for (int axis = 0; axis < 3; ++axis) {
    const ptrdiff_t reach = (static_cast<ptrdiff_t>(sizes[axis]) - 1) * *strides[axis];
    last += reach;
    if (kind == 2 && below(2) == 0) {
      *strides[axis] = -*strides[axis];
      start += reach;
    }
  }
  image.first = static_cast<size_t>(start);
  image.memory.resize(static_cast<size_t>(last) + 1);
  for (uint8_t& byte : image.memory) byte = static_cast<uint8_t>(below(256));
  if (format.has_alpha() && below(2) == 0) {
    for (size_t y = 0; y < height; ++y) {
      for (size_t x = 0; x < width; ++x) image.set(y, x, format.channels - 1, 65535);
    }
  }
  return image;
}

bool same_pixels(Image& a, Image& b) {
  for (size_t y = 0; y < a.height; ++y) {
    for (size_t x = 0; x < a.width; ++x) {
      for (size_t c = 0; c < a.format.channels; ++c) {
        if (a.get(y, x, c) != b.get(y, x, c)) return false;
      }
    }
  }
  return true;
}

// Pillow's rule for one pixel, written out.
void model_bytes(Image& image, size_t y, size_t x, const Colour& colour) {
  const size_t channels = image.format.channels;
  const uint32_t sa = colour.alpha;
  const uint32_t da = image.format.has_alpha() ? image.get(y, x, channels - 1) : 255;
  const auto scaled = [](uint32_t t) { return ((t >> 8) + t) >> 8; };
  const uint32_t result = sa * 255 + da * (255 - sa);
  const uint32_t over = sa * 255 * 255 * 128 / result;
  const uint32_t under = 255 * 128 - over;
  for (size_t c = 0; c < channels - image.format.has_alpha(); ++c) {
    const uint32_t sum = colour.channel[c] * over + image.get(y, x, c) * under + (128u << 7);
    image.set(y, x, c, scaled(sum) >> 7);
  }
  if (image.format.has_alpha()) image.set(y, x, channels - 1, scaled(result + 128));
}

// The nearest to the exact quotient, halves up.
void model_wide(Image& image, size_t y, size_t x, const Colour& colour) {
  const size_t channels = image.format.channels;
  const uint64_t sa = colour.alpha;
  const uint64_t da = image.format.has_alpha() ? image.get(y, x, channels - 1) : 65535;
  const uint64_t result = sa * 65535 + da * (255 - sa);
  for (size_t c = 0; c < channels - image.format.has_alpha(); ++c) {
    const uint64_t sum =
        colour.channel[c] * 257u * sa * 65535 + image.get(y, x, c) * da * (255 - sa);
    image.set(y, x, c, static_cast<uint32_t>((2 * sum + result) / (2 * result)));
  }
  if (image.format.has_alpha()) {
    image.set(y, x, channels - 1, static_cast<uint32_t>((2 * result + 255) / 510));
  }
}

void model_blend(Image& image, size_t y, size_t x, const Colour& colour) {
  if (colour.alpha == 0) return;
  image.format.depth == 1 ? model_bytes(image, y, x, colour) : model_wide(image, y, x, colour);
}

Colour random_colour() {
  const auto byte = [] { return static_cast<uint8_t>(below(256)); };
  Colour colour = {{byte(), byte(), byte()}, byte()};
  if (below(3) == 0) colour.alpha = 0;
  if (below(6) == 0) colour.alpha = 255;
  return colour;
}

Format random_format() { return {1 + below(4), 1 + below(2)}; }

// Where a result goes: another image, or the same one.
Image fresh_like(const Image& image) {
  Image fresh = make_image(image.height, image.width, image.format, below(3));
  return fresh;
}

template <class Index>
void check_overlay(size_t height, size_t width, size_t above, bool coarse) {
  struct OwnedRuns {
    Array<Index> starts, lengths;
  };
  const size_t count = 1 + below(3);
  const size_t begin = above * width, total = begin + height * width + below(100);
  std::vector<std::vector<uint8_t>> masks(count);
  std::vector<OwnedRuns> runs(count);
  std::vector<Layer> layers(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t percent = below(101);
    uint8_t value = 0;
    for (size_t p = 0; p < total; ++p) {
      if (!coarse || below(300) == 0) value = below(100) < percent;
      masks[i].push_back(value);
    }
    expect(encode(masks[i].data(), total, runs[i].starts, runs[i].lengths).status == Status::ok,
           "encode for overlay");
    layers[i].runs = {runs[i].starts.data(), runs[i].lengths.data(), runs[i].starts.size(),
                      sizeof(Index) == 8};
    layers[i].inside = random_colour();
    layers[i].outside = random_colour();
  }
  const Format format = random_format();
  Image from = make_image(height, width, format, below(3));
  Image want = from;
  for (size_t i = 0; i < count; ++i) {
    for (size_t p = 0; p < height * width; ++p) {
      const bool set = masks[i][begin + p] != 0;
      model_blend(want, p / width, p % width, set ? layers[i].inside : layers[i].outside);
    }
  }
  const int threads = 1 + static_cast<int>(below(3));
  const std::string name =
      std::to_string(format.channels) + " channels of " + std::to_string(format.depth) + " bytes";
  const auto lay = [&](Image& to) {
    return overlay(layers.data(), count, from.source(), to.target(), width, format, begin,
                   begin + height * width, threads);
  };
  Image fresh = fresh_like(from);
  expect(lay(fresh).status == Status::ok, "overlay succeeds");
  expect(same_pixels(fresh, want), "overlay to another image, " + name);
  expect(lay(from).status == Status::ok, "overlay succeeds");
  expect(from.memory == want.memory, "overlay in place, " + name);
}

// The place in the colour map by real numbers, or NaN.
double model_place(const std::vector<double>& map, size_t h, size_t w, double y, double x) {
  y = std::clamp(y, 0.0, static_cast<double>(h - 1));
  x = std::clamp(x, 0.0, static_cast<double>(w - 1));
  const auto top = static_cast<size_t>(y), left = static_cast<size_t>(x);
  const double down = y - std::floor(y), right = x - std::floor(x);
  double sum = 0;
  for (size_t i = 0; i < 4; ++i) {
    const double weight = (i / 2 == 0 ? 1 - down : down) * (i % 2 == 0 ? 1 - right : right);
    if (weight == 0) continue;
    sum += weight * map[(top + i / 2) * w + left + i % 2];
  }
  return 255 * sum;
}

void check_heatmap(size_t height, size_t width) {
  const size_t h = 1 + below(below(2) == 0 ? 20 : 200), w = 1 + below(below(2) == 0 ? 20 : 900);
  const size_t top = below(5), whole = top + height + below(5);
  const double low = below(2) == 0 ? 0 : -3.5, span = below(2) == 0 ? 1 : 0.125;
  const bool wide = below(2) == 0, holes = below(3) == 0;
  const ptrdiff_t size = wide ? 8 : 4;
  const ptrdiff_t column = below(2) == 0 ? size : -size * 3;
  std::vector<uint8_t> memory(h * w * static_cast<size_t>(size) * 3);
  const size_t first = column < 0 ? (w - 1) * static_cast<size_t>(-column) : 0;
  const ptrdiff_t row = static_cast<ptrdiff_t>(w) * std::abs(column);
  std::vector<double> model;
  for (size_t y = 0; y < h; ++y) {
    for (size_t x = 0; x < w; ++x) {
      auto value = static_cast<float>(low + span * (static_cast<double>(below(1300)) / 1000 - 0.1));
      if (below(50) == 0) value = std::numeric_limits<float>::infinity();
      if (below(50) == 0) value = -std::numeric_limits<float>::infinity();
      if (holes && below(20) == 0) value = std::numeric_limits<float>::quiet_NaN();
      const auto double_value = static_cast<double>(value);
      uint8_t* place =
          &memory[first] + static_cast<ptrdiff_t>(y) * row + static_cast<ptrdiff_t>(x) * column;
      std::memcpy(place, wide ? static_cast<const void*>(&double_value) : &value,
                  static_cast<size_t>(size));
      const double part = (double_value - low) / span;
      model.push_back(std::isnan(part) ? part : std::clamp(part, 0.0, 1.0));
    }
  }
  const Confidence map = {
      &memory[first], wide ? Number::float64 : Number::float32, h, w, row, column, low, span};
  uint8_t colours[256][4];
  for (size_t i = 0; i < 256; ++i) {
    const Colour colour = random_colour();
    std::memcpy(colours[i], colour.channel, 3);
    colours[i][3] = colour.alpha;
  }
  const Format format = random_format();
  Image from = make_image(height, width, format, below(3));
  Image before = from;
  const Window window = {height, width, top, whole};
  const int threads = 1 + static_cast<int>(below(3));
  Image fresh = fresh_like(from);
  expect(heatmap(map, from.source(), fresh.target(), window, format, colours, threads).status ==
             Status::ok,
         "heatmap succeeds");
  expect(heatmap(map, from.source(), from.target(), window, format, colours, threads).status ==
             Status::ok,
         "heatmap succeeds");
  expect(same_pixels(fresh, from), "heatmap in place is heatmap to another image");
  bool near = true, any_hole = false;
  Image pixel = make_image(1, 1, format, 0);
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) {
      const double my = (static_cast<double>(top + y) + 0.5) * static_cast<double>(h) /
                            static_cast<double>(whole) -
                        0.5;
      const double mx =
          (static_cast<double>(x) + 0.5) * static_cast<double>(w) / static_cast<double>(width) -
          0.5;
      const double place = model_place(model, h, w, my, mx);
      if (std::isnan(place)) {
        any_hole = true;
        // A weight that is nearly nothing may be nothing in the core's integers.
        const auto edge = [](double at) { return std::abs(at - std::round(at)) < 1e-4; };
        if (edge(my) || edge(mx)) continue;
        for (size_t c = 0; c < format.channels; ++c) {
          near = near && from.get(y, x, c) == before.get(y, x, c);
        }
        continue;
      }
      bool one = false;  // the colours within one place
      for (int i = -1; i <= 1; ++i) {
        const auto index = static_cast<size_t>(std::clamp(std::floor(place + 0.5) + i, 0.0, 255.0));
        for (size_t c = 0; c < format.channels; ++c) pixel.set(0, 0, c, before.get(y, x, c));
        const uint8_t* colour = colours[index];
        model_blend(pixel, 0, 0, {{colour[0], colour[1], colour[2]}, colour[3]});
        bool same = true;
        for (size_t c = 0; c < format.channels; ++c) {
          same = same && pixel.get(0, 0, c) == from.get(y, x, c);
        }
        one = one || same;
      }
      near = near && one;
    }
  }
  expect(near, "heatmap is within one place of real numbers");
  size_t nan_row = 0, nan_column = 0;
  bool found = false;
  expect(find_nan(map, window, &found, &nan_row, &nan_column).status == Status::ok, "find_nan");
  expect(found || !any_hole, "NaN is found where a pixel takes part of it");
  expect(!found || std::isnan(model[nan_row * w + nan_column]), "what is found is NaN");
}

void check_all() {
  for (int i = 0; i < 80; ++i) {
    const size_t height = 1 + below(40);
    const size_t width = 1 + below(i % 10 == 0 ? 3000 : 150);
    check_overlay<int32_t>(height, width, below(4), below(2) == 0);
    check_overlay<int64_t>(height, width, below(4), below(2) == 0);
    check_heatmap(1 + below(30), 1 + below(i % 10 == 0 ? 3000 : 150));
  }
}

// Images large enough for several threads.
void check_large() {
  check_overlay<int32_t>(1 << 10, 1 << 11, 0, true);
  check_heatmap(1 << 9, 1 << 10);
}

}  // namespace

int main(int argc, char** argv) {
  testing::on_each_kernel_set(argc, argv, check_all);
  if (argc < 2) testing::on_each_kernel_set(argc, argv, check_large);  // too much for an emulator
  return testing::outcome();
}
