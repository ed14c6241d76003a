// Set algebra against pixel by pixel, on every kernel set: random masks with sparse and dense
// stretches, so that the way between runs and words is gone both ways.
#include "algebra.h"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "harness.h"

namespace {

using namespace runmask;
using namespace runmask::testing;

Pixels stretches(size_t size) {
  Pixels pixels(size);
  size_t i = 0;
  while (i < size) {
    const size_t stop = std::min(size, i + 1 + below(3000));
    const size_t share = below(101);
    const size_t grain = below(3) == 0 ? 1 : 1 + below(200);
    while (i < stop) {
      const auto value = static_cast<uint8_t>(below(size_t{100}) < share);
      for (size_t g = 0; g < grain && i < stop; ++g) pixels[i++] = value;
    }
  }
  return pixels;
}

template <class Rule>
void check(const Pixels& a, const Pixels& b, Operation operation, bool wide, const Rule& rule) {
  Pixels want(a.size());
  for (size_t i = 0; i < a.size(); ++i) want[i] = rule(a[i] != 0, b[i] != 0);
  const Mask first(a, wide), second(b, wide);
  Mask out(wide);
  const Result result =
      combine(first.view(), second.view(), operation, static_cast<int64_t>(a.size()), out.arrays);
  expect(gave(result, out, want), "operation " + std::to_string(static_cast<unsigned>(operation)) +
                                      " of " + std::to_string(a.size()));
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
  while (all.size() < 1 + below(size_t{8})) all.push_back(stretches(size));
  std::deque<Mask> owned;  // which stay where they are
  std::vector<AnyRuns> views;
  for (const Pixels& pixels : all) {
    views.push_back(owned.emplace_back(pixels, wide).view());
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
  const std::string of = " of " + std::to_string(size);
  Mask voted(wide), complemented(wide);
  Result result = at_least(views.data(), views.size(), least, total, voted.arrays);
  expect(gave(result, voted, want), "at least" + of);
  result = complement(views[0], total, complemented.arrays);
  expect(gave(result, complemented, outside), "complement" + of);
  expect(overlap(views[0], views[1], static_cast<int64_t>(shift)) == common, "overlap");
}

}  // namespace

int main(int argc, char** argv) {
  on_each_kernel_set(argc, argv, [] {
    for (const size_t size : {0, 1, 2, 63, 64, 65, 2047, 2048, 2049, 4096}) check_size(size);
    for (int round = 0; round < 150; ++round) check_size(below(round % 5 == 0 ? 60000 : 6000));
  });
  return outcome();
}
