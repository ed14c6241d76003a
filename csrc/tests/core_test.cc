// Every function of the core against a slow and obvious model, on every kernel set this processor
// has, or on those named as arguments.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness.h"
#include "runs.h"
#include "words.h"

namespace {

using namespace runmask;
using namespace runmask::testing;

Pixels random_pixels(size_t size, int percent) {
  Pixels pixels = random_image({1, static_cast<int64_t>(size)}, percent).pixels;
  for (uint8_t& pixel : pixels) {
    if (pixel != 0) pixel = static_cast<uint8_t>(1 + below(255));
  }
  return pixels;
}

template <class Index>
struct Owned {
  Array<Index> starts, lengths;
  Runs<Index> view() const { return {starts.data(), lengths.data(), starts.size()}; }
};

template <class Index>
void check_round_trip(const Pixels& pixels, size_t width, const std::string& name) {
  Owned<Index> runs;
  expect(
      encode(pixels.data(), pixels.size(), runs.starts, runs.lengths, width).status == Status::ok,
      "encode " + name);
  std::vector<std::pair<size_t, size_t>> model;
  uint64_t set = 0;
  for (size_t i = 0; i < pixels.size(); ++i) {
    if (pixels[i] == 0) continue;
    ++set;
    if (i > 0 && pixels[i - 1] != 0) {
      ++model.back().second;
    } else {
      model.emplace_back(i, 1);
    }
  }
  bool same = runs.starts.size() == model.size() && runs.lengths.size() == model.size();
  for (size_t i = 0; same && i < model.size(); ++i) {
    same = static_cast<size_t>(runs.starts[i]) == model[i].first &&
           static_cast<size_t>(runs.lengths[i]) == model[i].second;
  }
  expect(same, "encode gives the runs of " + name);
  expect(area(runs.view()) == set, "area of " + name);

  const size_t first = below(pixels.size() + 1);
  const size_t last = first + below(pixels.size() - first + 1);
  for (const auto& [from, to] : {std::pair<size_t, size_t>{0, pixels.size()}, {first, last}}) {
    std::vector<uint8_t> out(to - from + 1, 0xA5);  // one more, that must stay as it is
    decode(runs.view(), from, to, 3, 200, out.data(), width);
    bool right = out.back() == 0xA5;
    for (size_t i = from; i < to; ++i) right &= out[i - from] == (pixels[i] != 0 ? 200 : 3);
    expect(right, "decode of " + name);
  }

  if (set != 0 && width != 0) {
    Box box = {static_cast<int64_t>(width), INT64_MAX, 0, 0};
    for (size_t i = 0; i < pixels.size(); ++i) {
      if (pixels[i] == 0) continue;
      const auto x = static_cast<int64_t>(i % width);
      const auto y = static_cast<int64_t>(i / width);
      box = {std::min(box.x0, x), std::min(box.y0, y), std::max(box.x1, x + 1),
             std::max(box.y1, y + 1)};
    }
    const Box found = bounding_box(runs.view(), static_cast<int64_t>(width));
    expect(found.x0 == box.x0 && found.y0 == box.y0 && found.x1 == box.x1 && found.y1 == box.y1,
           "bounding box of " + name);
  }
}

// The union of runs, or an empty vector and the index of the first bad run.
std::pair<Pixels, long> model_read(const std::vector<int64_t>& starts,
                                   const std::vector<int64_t>& lengths, int64_t total,
                                   Policy policy) {
  Pixels pixels(static_cast<size_t>(total), 0);
  for (size_t i = 0; i < starts.size(); ++i) {
    const __int128 stop = static_cast<__int128>(starts[i]) + lengths[i];
    if (policy == Policy::strict && (starts[i] < 0 || lengths[i] < 0 || stop > total)) {
      return {{}, static_cast<long>(i)};
    }
    for (int64_t p = std::max<int64_t>(starts[i], 0); p < stop && p < total; ++p) {
      pixels[static_cast<size_t>(p)] = 1;
    }
  }
  return {pixels, -1};
}

template <class In, class Index>
void check_read() {
  const auto total = static_cast<Index>(1 + below(300));
  const size_t count = below(12);
  const bool wild = below(3) == 0;
  std::vector<int64_t> starts, lengths;
  for (size_t i = 0; i < count; ++i) {
    starts.push_back(static_cast<int64_t>(below(static_cast<size_t>(total))));
    lengths.push_back(static_cast<int64_t>(below(static_cast<size_t>(total - starts[i]) + 1)));
    if (wild) {
      const int64_t extremes[] = {-1,    -5,        std::numeric_limits<In>::max(),
                                  total, total + 3, std::numeric_limits<In>::min(),
                                  0,     7};
      if (below(4) == 0) starts[i] = extremes[below(8)];
      if (below(4) == 0) lengths[i] = extremes[below(8)];
    }
  }
  const std::vector<In> in_starts(starts.begin(), starts.end());
  const std::vector<In> in_lengths(lengths.begin(), lengths.end());
  for (const Policy policy : {Policy::strict, Policy::clip}) {
    const auto [pixels, bad] = model_read(starts, lengths, total, policy);
    Owned<Index> runs;
    ReadReport report;
    const Result result = read(in_starts.data(), in_lengths.data(), count, total, policy,
                               runs.starts, runs.lengths, report);
    expect((result.status != Status::ok) == (bad >= 0), "read accepts what the model accepts");
    if (bad >= 0) {
      expect(result.at == static_cast<size_t>(bad), "read says which run is bad");
      continue;
    }
    Owned<Index> canonical;
    expect(encode(pixels.data(), pixels.size(), canonical.starts, canonical.lengths).status ==
               Status::ok,
           "encode for read");
    bool same = runs.starts.size() == canonical.starts.size();
    for (size_t i = 0; same && i < runs.starts.size(); ++i) {
      same = runs.starts[i] == canonical.starts[i] && runs.lengths[i] == canonical.lengths[i];
    }
    expect(same, "read gives the canonical union");
  }
}

void check_all() {
  const size_t sizes[] = {0, 1, 2, 63, 64, 65, 127, 128, 2047, 2048, 2049, 6000, 16384, 40001};
  for (const size_t size : sizes) {
    for (const int percent : {0, 1, 10, 50, 90, 99, 100}) {
      const Pixels pixels = random_pixels(size, percent);
      const size_t width = size == 0 ? 1 : 1 + below(size);
      const std::string name = std::to_string(size) + " px of " + std::to_string(percent) + " %";
      check_round_trip<int32_t>(pixels, width, name);
      check_round_trip<int64_t>(pixels, width, name);
    }
  }
  for (int i = 0; i < 60; ++i) {  // rows like the one above
    const size_t width = 1000 + below(1500);
    Pixels pixels;
    while (pixels.size() < width * (2 + below(30))) {
      const Pixels row = random_pixels(width, static_cast<unsigned>(below(101)));
      for (size_t y = 1 + below(6); y > 0; --y) pixels.insert(pixels.end(), row.begin(), row.end());
    }
    pixels.resize(pixels.size() - below(width));
    check_round_trip<int32_t>(pixels, width, "rows of " + std::to_string(width));
    check_round_trip<int64_t>(pixels, width, "rows of " + std::to_string(width));
  }
  for (int i = 0; i < 4000; ++i) {
    check_read<int32_t, int32_t>();
    check_read<int64_t, int32_t>();
    check_read<int64_t, int64_t>();
  }
}

}  // namespace

int main(int argc, char** argv) {
  on_each_kernel_set(argc, argv, check_all);
  expect(!use_kernels("none"), "an unknown set is refused");
  return outcome();
}
