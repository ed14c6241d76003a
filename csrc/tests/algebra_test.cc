// Set algebra against pixel by pixel, on every kernel set: random masks with sparse and dense
// stretches, so that the way between runs and words is gone both ways.
#include "algebra.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "simd.h"

namespace {

using namespace runmask;
using Pixels = std::vector<uint8_t>;

int failures = 0;

void expect(bool good, const std::string& what) {
  if (good) return;
  if (++failures < 20) std::printf("FAILED [%s] %s\n", kernels().name, what.c_str());
}

std::mt19937_64 random_bits(7);
size_t below(size_t bound) { return random_bits() % bound; }

Pixels stretches(size_t size) {
  Pixels pixels(size);
  size_t i = 0;
  while (i < size) {
    const size_t stop = std::min(size, i + 1 + below(3000));
    const size_t share = below(101);
    const size_t grain = below(3) == 0 ? 1 : 1 + below(200);
    while (i < stop) {
      const auto value = static_cast<uint8_t>(below(100) < share);
      for (size_t g = 0; g < grain && i < stop; ++g) pixels[i++] = value;
    }
  }
  return pixels;
}

struct Encoded {
  AnyArrays arrays;
  Encoded(const Pixels& pixels, bool wide) {
    arrays.wide = wide;
    expect(encode(pixels.data(), pixels.size(), arrays).status == Status::ok, "encode");
  }
};

AnyRuns view(AnyArrays& arrays) {
  if (arrays.wide) {
    return {arrays.wide_starts.data(), arrays.wide_lengths.data(), arrays.count(), true};
  }
  return {arrays.narrow_starts.data(), arrays.narrow_lengths.data(), arrays.count(), false};
}

template <class Index>
bool same(Runs<Index> a, Runs<Index> b) {
  bool equal = a.count == b.count;
  for (size_t i = 0; equal && i < a.count; ++i) {
    equal = a.starts[i] == b.starts[i] && a.lengths[i] == b.lengths[i];
  }
  return equal;
}

void expect_pixels(Result result, AnyArrays& out, const Pixels& pixels, const std::string& what) {
  Encoded want(pixels, out.wide);
  const AnyRuns a = view(out);
  const AnyRuns b = view(want.arrays);
  const bool equal =
      out.wide ? same(a.as<int64_t>(), b.as<int64_t>()) : same(a.as<int32_t>(), b.as<int32_t>());
  expect(result.status == Status::ok && equal, what + " of " + std::to_string(pixels.size()));
}

template <class Rule>
void check(const Pixels& a, const Pixels& b, Operation operation, bool wide, const Rule& rule) {
  Pixels want(a.size());
  for (size_t i = 0; i < a.size(); ++i) want[i] = rule(a[i] != 0, b[i] != 0);
  Encoded first(a, wide), second(b, wide);
  AnyArrays out;
  out.wide = wide;
  const Result result = combine(view(first.arrays), view(second.arrays), operation,
                                static_cast<int64_t>(a.size()), out);
  expect_pixels(result, out, want, "operation " + std::to_string(static_cast<unsigned>(operation)));
}

void check_size(size_t size) {
  const bool wide = below(2) == 0;
  const Pixels a = below(8) == 0 ? Pixels(size, 1) : stretches(size);
  const Pixels b = below(8) == 0 ? a : stretches(size);
  check(a, b, Operation::both, wide, [](bool x, bool y) { return x && y; });
  check(a, b, Operation::either, wide, [](bool x, bool y) { return x || y; });
  check(a, b, Operation::first_only, wide, [](bool x, bool y) { return x && !y; });
  check(a, b, Operation::one_of_both, wide, [](bool x, bool y) { return x != y; });

  const auto total = static_cast<int64_t>(size);
  std::vector<Pixels> all = {a, b};
  while (all.size() < 1 + below(8)) all.push_back(stretches(size));
  std::vector<Encoded*> owned;
  std::vector<AnyRuns> views;
  for (const Pixels& pixels : all) {
    owned.push_back(new Encoded(pixels, wide));
    views.push_back(view(owned.back()->arrays));
  }
  const size_t least = 1 + below(all.size() + 1);
  Pixels want(size), outside(size);
  uint64_t common = 0;
  const size_t shift = below(size + 1);
  for (size_t i = 0; i < size; ++i) {
    size_t votes = 0;
    for (const Pixels& pixels : all) votes += pixels[i] != 0;
    want[i] = votes >= least;
    outside[i] = a[i] == 0;
    common += i + shift < size && a[i] != 0 && b[i + shift] != 0;
  }
  AnyArrays voted, complemented;
  voted.wide = complemented.wide = wide;
  const Result result = at_least(views.data(), views.size(), least, total, voted);
  expect_pixels(result, voted, want, "at least");
  expect_pixels(complement(views[0], total, complemented), complemented, outside, "complement");
  expect(overlap(views[0], views[1], static_cast<int64_t>(shift)) == common, "overlap");
  for (const Encoded* each : owned) delete each;
}

}  // namespace

int main() {
  for (size_t i = 0; available_kernels(i) != nullptr; ++i) {
    expect(use_kernels(available_kernels(i)->name), "the set can be chosen");
    for (const size_t size : {0, 1, 2, 63, 64, 65, 2047, 2048, 2049, 4096}) check_size(size);
    for (int round = 0; round < 150; ++round) check_size(below(round % 5 == 0 ? 60000 : 6000));
    std::printf("%s: checked\n", kernels().name);
  }
  std::printf("%d failed\n", failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
