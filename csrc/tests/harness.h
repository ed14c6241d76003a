// What the tests of the core share: no framework, only a count of what failed, random images, and
// masks that own their runs. A test prints what fails and exits with 1.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "any.h"
#include "geometry.h"
#include "simd.h"

namespace runmask::testing {

inline int failures = 0;

inline void expect(bool good, const std::string& what) {
  if (good) return;
  ++failures;
  if (failures < 20) std::printf("FAILED [%s] %.300s\n", kernels().name, what.c_str());
}

// Runs the checks on every kernel set this processor has, or on those named as arguments.
inline void on_each_kernel_set(int argc, char** argv, const std::function<void()>& check) {
  std::vector<std::string> names(argv + 1, argv + argc);
  for (size_t i = 0; argc < 2 && available_kernels(i) != nullptr; ++i) {
    names.emplace_back(available_kernels(i)->name);
  }
  for (const std::string& name : names) {
    expect(use_kernels(name.c_str()), "the set " + name + " can be chosen");
    check();
    std::printf("%s: checked\n", kernels().name);
  }
}

// What main() returns.
inline int outcome() {
  std::printf("%d failed\n", failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

// -- random numbers and images

inline std::mt19937_64 random_bits(42);

template <class Int>
Int below(Int bound) {
  return static_cast<Int>(random_bits() % static_cast<uint64_t>(bound));
}

using Pixels = std::vector<uint8_t>;

// An image of which one pixel at a time is asked.
struct Image : Size {
  Pixels pixels;

  explicit Image(Size size, uint8_t value = 0)
      : Size(size), pixels(static_cast<size_t>(size.height * size.width), value) {}
  bool inside(int64_t y, int64_t x) const { return y >= 0 && y < height && x >= 0 && x < width; }
  uint8_t& at(int64_t y, int64_t x) { return pixels[static_cast<size_t>(y * width + x)]; }
  uint8_t at(int64_t y, int64_t x) const { return pixels[static_cast<size_t>(y * width + x)]; }
};

inline std::string name(Size size) {
  return std::to_string(size.height) + " x " + std::to_string(size.width);
}

// Pixels 0 and 1, so many per cent of them 1: in square blocks, or in stretches that go on over row
// ends; of one pixel as well.
inline Image random_image(Size size, int percent) {
  Image image(size);
  const int grains[] = {1, 1, 1, 2, 3, 5, 9, 60};
  const int grain = grains[below(8)];
  const bool blocks = below(2) == 0;
  uint8_t value = 0;
  for (int64_t y = 0; y < size.height; ++y) {
    for (int64_t x = 0; x < size.width; ++x) {
      const bool fresh = blocks ? y % grain == 0 && x % grain == 0 : below(grain) == 0;
      if (fresh) {
        value = below(100) < percent;
      } else if (blocks) {
        value = image.at(y / grain * grain, x / grain * grain);
      }
      image.at(y, x) = value;
    }
  }
  return image;
}

inline Image random_image(Size size) {
  const int percents[] = {0, 2, 10, 20, 50, 80, 90, 98, 100};
  return random_image(size, percents[below(9)]);
}

// -- masks

// Runs that own their memory, of either width.
struct Mask {
  AnyArrays arrays;

  explicit Mask(bool wide = false) { arrays.wide = wide; }
  Mask(const Pixels& pixels, bool wide) : Mask(wide) {
    expect(encode(pixels.data(), pixels.size(), arrays).status == Status::ok, "encode");
  }
  AnyRuns view() const { return arrays.runs(); }
};

inline bool same(const AnyRuns& a, const AnyRuns& b) {
  if (a.wide != b.wide || a.count != b.count) return false;
  return with_runs(a, [&]<class Index>(Runs<Index> first) {
    const auto second = b.as<Index>();
    return std::equal(first.starts, first.starts + first.count, second.starts) &&
           std::equal(first.lengths, first.lengths + first.count, second.lengths);
  });
}

// Whether an operation went well and gave the canonical runs of these pixels.
inline bool gave(Result result, const Mask& mask, const Pixels& pixels) {
  return result.status == Status::ok && same(mask.view(), Mask(pixels, mask.arrays.wide).view());
}

}  // namespace runmask::testing
