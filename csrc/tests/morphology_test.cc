// Components, holes and morphology against slow and obvious models, on every kernel set this
// processor has. Needs no framework: prints what fails and exits with 1.
#include "morphology.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "components.h"
#include "measures.h"
#include "simd.h"

namespace {

using namespace runmask;

int failures = 0;

void expect(bool good, const std::string& what) {
  if (good) return;
  ++failures;
  if (failures < 20) std::printf("FAILED [%s] %s\n", kernels().name, what.c_str());
}

std::mt19937_64 random_bits(7);

int below(int bound) { return static_cast<int>(random_bits() % static_cast<uint64_t>(bound)); }

struct Image {
  int height, width;
  std::vector<uint8_t> pixels;

  Image(int h, int w) : height(h), width(w), pixels(static_cast<size_t>(h) * w) {}
  bool inside(int y, int x) const { return y >= 0 && y < height && x >= 0 && x < width; }
  uint8_t& at(int y, int x) { return pixels[static_cast<size_t>(y) * width + x]; }
  uint8_t at(int y, int x) const { return pixels[static_cast<size_t>(y) * width + x]; }
  std::string name() const { return std::to_string(height) + " x " + std::to_string(width); }
};

Image random_image(int height, int width, int percent) {
  Image image(height, width);
  const int grain = below(3) == 0 ? 1 + below(9) : 1;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool corner = y % grain == 0 && x % grain == 0;
      image.at(y, x) =
          corner ? below(100) < percent : image.at(y / grain * grain, x / grain * grain);
    }
  }
  return image;
}

// Runs that own their memory, of either width.
struct Mask {
  AnyArrays arrays;

  Mask() = default;
  Mask(const Image& image, bool wide) {
    arrays.wide = wide;
    expect(encode(image.pixels.data(), image.pixels.size(), arrays).status == Status::ok, "encode");
  }
  AnyRuns view() {
    return arrays.wide ? AnyRuns{arrays.wide_starts.data(), arrays.wide_lengths.data(),
                                 arrays.count(), true}
                       : AnyRuns{arrays.narrow_starts.data(), arrays.narrow_lengths.data(),
                                 arrays.count(), false};
  }
};

bool canonical_runs_of(Mask& mask, const Image& image) {
  Mask want(image, mask.arrays.wide);
  if (mask.arrays.count() != want.arrays.count()) return false;
  const size_t bytes = want.arrays.count() * want.arrays.itemsize();
  return bytes == 0 || (std::memcmp(mask.view().starts, want.view().starts, bytes) == 0 &&
                        std::memcmp(mask.view().lengths, want.view().lengths, bytes) == 0);
}

// The label of each pixel, -1 outside, in raster order of first pixels.
std::vector<int32_t> model_labels(const Image& image, bool eight, int32_t* parts) {
  std::vector<int32_t> labels(image.pixels.size(), -1);
  std::vector<std::pair<int, int>> todo;
  *parts = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const auto visit = [&](int v, int u) {
        if (!image.inside(v, u) || image.at(v, u) == 0) return;
        int32_t& label = labels[static_cast<size_t>(v) * image.width + u];
        if (label >= 0) return;
        label = *parts;
        todo.emplace_back(v, u);
      };
      visit(y, x);
      if (todo.empty()) continue;
      while (!todo.empty()) {
        const auto [v, u] = todo.back();
        todo.pop_back();
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) {
            if (eight || dy == 0 || dx == 0) visit(v + dy, u + dx);
          }
        }
      }
      ++*parts;
    }
  }
  return labels;
}

struct Measures {
  int64_t area = 0, x0 = INT64_MAX, y0 = INT64_MAX, x1 = 0, y1 = 0;
  double x = 0, y = 0;
};

std::vector<Measures> model_measures(const Image& image, const std::vector<int32_t>& labels,
                                     int32_t parts) {
  std::vector<Measures> found(static_cast<size_t>(parts));
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const int32_t label = labels[static_cast<size_t>(y) * image.width + x];
      if (label < 0) continue;
      Measures& part = found[static_cast<size_t>(label)];
      ++part.area;
      part.x += x;
      part.y += y;
      part.x0 = std::min<int64_t>(part.x0, x);
      part.y0 = std::min<int64_t>(part.y0, y);
      part.x1 = std::max<int64_t>(part.x1, x + 1);
      part.y1 = std::max<int64_t>(part.y1, y + 1);
    }
  }
  return found;
}

void check_table(const Components& found, const std::vector<Measures>& model,
                 const std::string& name) {
  bool same = found.areas.size() == model.size() && found.boxes.size() == 4 * model.size() &&
              found.centroids.size() == 2 * model.size();
  for (size_t i = 0; same && i < model.size(); ++i) {
    const Measures& part = model[i];
    const int64_t* box = found.boxes.data() + 4 * i;
    const auto area = static_cast<double>(part.area);
    same = found.areas[i] == part.area && box[0] == part.x0 && box[1] == part.y0 &&
           box[2] == part.x1 && box[3] == part.y1 && found.centroids[2 * i] == part.x / area &&
           found.centroids[2 * i + 1] == part.y / area;
  }
  expect(same, "measures of " + name);
}

void check_parts(Mask& mask, const Image& image, const Components& found,
                 const std::vector<int32_t>& labels, int32_t parts, const std::string& name) {
  std::vector<uint8_t> keep(static_cast<size_t>(parts) + 1);
  for (uint8_t& each : keep) each = below(2);
  Image kept(image.height, image.width);
  for (size_t i = 0; i < labels.size(); ++i) {
    kept.pixels[i] = labels[i] >= 0 && keep[static_cast<size_t>(labels[i])] != 0;
  }
  Mask selected;
  selected.arrays.wide = mask.arrays.wide;
  expect(
      select(mask.view(), image.width, found.labels.data(), keep.data(), selected.arrays).status ==
              Status::ok &&
          canonical_runs_of(selected, kept),
      "some parts of " + name);

  PartRuns grouped;
  grouped.runs.wide = mask.arrays.wide;
  expect(group(mask.view(), image.width, found.labels.data(), static_cast<size_t>(parts), grouped)
                 .status == Status::ok,
         "grouping of " + name);
  for (int32_t part = 0; part < parts; part += 1 + parts / 8) {
    Image alone(image.height, image.width);
    for (size_t i = 0; i < labels.size(); ++i) alone.pixels[i] = labels[i] == part;
    Mask want(alone, mask.arrays.wide);
    const int64_t first = grouped.bounds[2 * static_cast<size_t>(part)];
    const int64_t last = grouped.bounds[2 * static_cast<size_t>(part) + 1];
    bool same = static_cast<size_t>(last - first) == want.arrays.count();
    for (size_t i = 0; same && i < want.arrays.count(); ++i) {
      const size_t at = static_cast<size_t>(first) + i;
      same = mask.arrays.wide
                 ? grouped.runs.wide_starts[at] == want.arrays.wide_starts[i] &&
                       grouped.runs.wide_lengths[at] == want.arrays.wide_lengths[i]
                 : grouped.runs.narrow_starts[at] == want.arrays.narrow_starts[i] &&
                       grouped.runs.narrow_lengths[at] == want.arrays.narrow_lengths[i];
    }
    expect(same, "one part of " + name);
  }
}

void check_components(const Image& image, bool wide, bool eight) {
  const std::string name = std::to_string(eight ? 8 : 4) + "-connected " + image.name();
  Mask mask(image, wide);
  int32_t parts;
  const std::vector<int32_t> labels = model_labels(image, eight, &parts);
  Components found;
  const Connectivity connectivity = eight ? Connectivity::eight : Connectivity::four;
  expect(components(mask.view(), image.width, connectivity, found).status == Status::ok, "labels");
  expect(found.labels.size() == count_row_runs(mask.view(), image.width), "labels of all pieces");
  check_table(found, model_measures(image, labels, parts), name);

  const size_t pieces = found.labels.size();
  std::vector<int32_t> y(pieces), x0(pieces), x1(pieces);
  row_runs(mask.view(), image.width, y.data(), x0.data(), x1.data());
  std::vector<int32_t> painted(labels.size(), -1);
  for (size_t i = 0; i < pieces; ++i) {
    for (int32_t x = x0[i]; x < x1[i]; ++x) {
      painted[static_cast<size_t>(y[i]) * image.width + x] = found.labels[i];
    }
  }
  expect(painted == labels, "pieces and labels of " + name);
  paint_labels(mask.view(), image.height, image.width, found.labels.data(), painted.data());
  for (int32_t& each : painted) --each;
  expect(painted == labels, "painted labels of " + name);
  check_parts(mask, image, found, labels, parts, name);
}

void check_filters(const Image& image, bool wide, bool eight) {
  const std::string name = std::to_string(eight ? 8 : 4) + "-connected " + image.name();
  const Connectivity connectivity = eight ? Connectivity::eight : Connectivity::four;
  Mask mask(image, wide);
  Image background_image = image;
  for (uint8_t& pixel : background_image.pixels) pixel = pixel == 0;
  int32_t parts;
  std::vector<int32_t> labels = model_labels(image, eight, &parts);
  std::vector<Measures> table = model_measures(image, labels, parts);
  const int64_t least = below(12);
  Image want = image;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && table[static_cast<size_t>(labels[i])].area < least) want.pixels[i] = 0;
  }
  Mask large;
  large.arrays.wide = wide;
  expect(remove_small(mask.view(), image.width, connectivity, least, large.arrays).status ==
                 Status::ok &&
             canonical_runs_of(large, want),
         "large parts of " + name);

  labels = model_labels(background_image, !eight, &parts);
  table = model_measures(background_image, labels, parts);
  for (const int64_t most : {int64_t{INT64_MAX}, int64_t{below(12)}}) {
    want = image;
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] < 0) continue;
      const Measures& part = table[static_cast<size_t>(labels[i])];
      if (part.x0 > 0 && part.y0 > 0 && part.x1 < image.width && part.y1 < image.height &&
          part.area <= most) {
        want.pixels[i] = 1;
      }
    }
    Mask filled;
    filled.arrays.wide = wide;
    expect(fill_holes(mask.view(), image.height, image.width, connectivity, most, filled.arrays)
                       .status == Status::ok &&
               canonical_runs_of(filled, want),
           "holes of " + name);
  }
}

// Rectangles of falling width and rising height.
std::vector<Reach> random_element() {
  std::vector<Reach> element;
  Reach next = {below(8) == 0 ? below(150) : below(10), below(6)};
  for (int i = 1 + below(4); i > 0 && next.across >= 0; --i) {
    element.push_back(next);
    next.across -= 1 + below(4);
    next.down += 1 + below(below(8) == 0 ? 60 : 4);
  }
  return element;
}

// One pixel after the other; what lies outside never decides.
Image model_morph(const Image& image, const std::vector<Reach>& element, bool eroding) {
  Image out = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      bool found = false;
      for (const Reach& reach : element) {
        const int64_t y1 = std::min<int64_t>(y + reach.down, image.height - 1);
        const int64_t x1 = std::min<int64_t>(x + reach.across, image.width - 1);
        for (int64_t v = std::max<int64_t>(y - reach.down, 0); !found && v <= y1; ++v) {
          for (int64_t u = std::max<int64_t>(x - reach.across, 0); !found && u <= x1; ++u) {
            found = (image.at(static_cast<int>(v), static_cast<int>(u)) != 0) != eroding;
          }
        }
      }
      out.at(y, x) = found != eroding;
    }
  }
  return out;
}

void check_morphology(const Image& image, bool wide, const std::vector<Reach>& element) {
  Mask mask(image, wide);
  for (const bool eroding : {false, true}) {
    const Image want = model_morph(image, element, eroding);
    for (const Route route : {Route::automatic, Route::runs, Route::bits}) {
      Mask found;
      found.arrays.wide = wide;
      const auto morph = eroding ? erode : dilate;
      expect(morph(mask.view(), image.height, image.width, element.data(), element.size(), route,
                   found.arrays)
                         .status == Status::ok &&
                 canonical_runs_of(found, want),
             std::string(eroding ? "erosion" : "dilation") + " by route " +
                 std::to_string(static_cast<int>(route)) + " of " + image.name());
    }
  }
}

void check_all() {
  const int sides[] = {0, 1, 2, 3, 31, 33, 63, 64, 65, 127, 128, 129};
  for (int i = 0; i < 600; ++i) {
    const int height = below(3) == 0 ? sides[below(12)] : below(40);
    const int width = below(2) == 0 ? sides[below(12)] : below(200);
    const int percents[] = {0, 2, 20, 50, 80, 98, 100};
    const Image image = random_image(height, width, percents[below(7)]);
    const bool wide = below(2) == 0;
    check_components(image, wide, below(2) == 0);
    check_filters(image, wide, below(2) == 0);
    check_morphology(image, wide, random_element());
  }
  const Image flat = random_image(2, 5000, 50);  // rows longer than a block of words
  check_components(flat, false, true);
  check_filters(flat, false, true);
  check_morphology(flat, false, {{70, 0}, {3, 1}});
}

// Images too large to hold: what counts is that memory follows the runs.
void check_giants() {
  constexpr int64_t kSide = (int64_t{1} << 31) - 1;
  const std::vector<std::pair<int64_t, int64_t>> pixels = {
      {0, 0}, {kSide / 2, kSide / 2}, {kSide - 1, kSide - 1}};
  Mask mask;
  mask.arrays.wide = true;
  for (const auto& [y, x] : pixels) {
    expect(mask.arrays.wide_starts.reserve_more(1) && mask.arrays.wide_lengths.reserve_more(1),
           "memory");
    mask.arrays.wide_starts.append(y * kSide + x);
    mask.arrays.wide_lengths.append(1);
  }
  Components found;
  expect(components(mask.view(), kSide, Connectivity::eight, found).status == Status::ok &&
             found.areas.size() == 3,
         "components of a giant");
  expect(found.boxes[11] == kSide && found.centroids[4] == static_cast<double>(kSide - 1),
         "the last pixel of a giant");
  const Reach element[] = {{2, 0}, {0, kSide}};
  Mask grown;
  grown.arrays.wide = true;
  const Reach small[] = {{2, 0}, {0, 3}};
  expect(dilate(mask.view(), kSide, kSide, small, 2, Route::automatic, grown.arrays).status ==
                 Status::ok &&
             area(grown.view()) == 6 + 11 + 6,
         "dilation of a giant");
  Mask shrunk;
  shrunk.arrays.wide = true;
  expect(erode(grown.view(), kSide, kSide, small, 2, Route::automatic, shrunk.arrays).status ==
                 Status::ok &&
             area(shrunk.view()) == 3,
         "erosion of a giant");
  Mask none, still_none;
  none.arrays.wide = still_none.arrays.wide = true;
  expect(
      dilate(none.view(), kSide, kSide, element, 2, Route::automatic, still_none.arrays).status ==
              Status::ok &&
          still_none.arrays.count() == 0,
      "nothing to dilate");
}

}  // namespace

int main() {
  for (size_t i = 0; available_kernels(i) != nullptr; ++i) {
    expect(use_kernels(available_kernels(i)->name), "the set can be chosen");
    check_all();
    std::printf("%s: checked\n", kernels().name);
  }
  check_giants();
  std::printf("%d failed\n", failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
