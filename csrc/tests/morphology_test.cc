// Components, holes and morphology against slow and obvious models, on every kernel set this
// processor has.
#include "morphology.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "components.h"
#include "harness.h"
#include "measures.h"

namespace {

using namespace runmask;
using namespace runmask::testing;

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
                 const std::string& what) {
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
  expect(same, "measures of " + what);
}

AnyRuns part_of(const PartRuns& grouped, int64_t first, int64_t last) {
  AnyRuns runs = grouped.runs.runs();
  const auto skip = static_cast<size_t>(first) * grouped.runs.itemsize();
  runs.starts = static_cast<const char*>(runs.starts) + skip;
  runs.lengths = static_cast<const char*>(runs.lengths) + skip;
  runs.count = static_cast<size_t>(last - first);
  return runs;
}

void check_parts(const Mask& mask, const Image& image, const Components& found,
                 const std::vector<int32_t>& labels, int32_t parts, const std::string& what) {
  std::vector<uint8_t> keep(static_cast<size_t>(parts) + 1);
  for (uint8_t& each : keep) each = below(2);
  Image kept = image;
  for (size_t i = 0; i < labels.size(); ++i) {
    kept.pixels[i] = labels[i] >= 0 && keep[static_cast<size_t>(labels[i])] != 0;
  }
  Mask selected(mask.arrays.wide);
  const Result result =
      select(mask.view(), image.width, found.labels.data(), keep.data(), selected.arrays);
  expect(gave(result, selected, kept.pixels), "some parts of " + what);

  PartRuns grouped;
  grouped.runs.wide = mask.arrays.wide;
  expect(group(mask.view(), image.width, found.labels.data(), static_cast<size_t>(parts), grouped)
                 .status == Status::ok,
         "grouping of " + what);
  for (int32_t part = 0; part < parts; part += 1 + parts / 8) {
    Image alone = image;
    for (size_t i = 0; i < labels.size(); ++i) alone.pixels[i] = labels[i] == part;
    const Mask want(alone.pixels, mask.arrays.wide);
    const int64_t first = grouped.bounds[2 * static_cast<size_t>(part)];
    const int64_t last = grouped.bounds[2 * static_cast<size_t>(part) + 1];
    expect(same(part_of(grouped, first, last), want.view()), "one part of " + what);
  }
}

void check_components(const Image& image, bool wide, bool eight) {
  const std::string what = std::to_string(eight ? 8 : 4) + "-connected " + name(image);
  Mask mask(image.pixels, wide);
  int32_t parts;
  const std::vector<int32_t> labels = model_labels(image, eight, &parts);
  Components found;
  const Connectivity connectivity = eight ? Connectivity::eight : Connectivity::four;
  expect(components(mask.view(), image.width, connectivity, found).status == Status::ok, "labels");
  expect(found.labels.size() == count_row_runs(mask.view(), image.width), "labels of all pieces");
  check_table(found, model_measures(image, labels, parts), what);

  const size_t pieces = found.labels.size();
  std::vector<int32_t> y(pieces), x0(pieces), x1(pieces);
  row_runs(mask.view(), image.width, y.data(), x0.data(), x1.data());
  std::vector<int32_t> painted(labels.size(), -1);
  for (size_t i = 0; i < pieces; ++i) {
    for (int32_t x = x0[i]; x < x1[i]; ++x) {
      painted[static_cast<size_t>(y[i]) * image.width + x] = found.labels[i];
    }
  }
  expect(painted == labels, "pieces and labels of " + what);
  paint_labels(mask.view(), image.height, image.width, found.labels.data(), painted.data());
  for (int32_t& each : painted) --each;
  expect(painted == labels, "painted labels of " + what);
  check_parts(mask, image, found, labels, parts, what);
}

void check_filters(const Image& image, bool wide, bool eight) {
  const std::string what = std::to_string(eight ? 8 : 4) + "-connected " + name(image);
  const Connectivity connectivity = eight ? Connectivity::eight : Connectivity::four;
  Mask mask(image.pixels, wide);
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
  Mask large(wide);
  const Result result = remove_small(mask.view(), image.width, connectivity, least, large.arrays);
  expect(gave(result, large, want.pixels), "large parts of " + what);

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
    Mask filled(wide);
    expect(
        gave(fill_holes(mask.view(), image.height, image.width, connectivity, most, filled.arrays),
             filled, want.pixels),
        "holes of " + what);
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
  Mask mask(image.pixels, wide);
  for (const bool eroding : {false, true}) {
    const Image want = model_morph(image, element, eroding);
    for (const Route route : {Route::automatic, Route::runs, Route::bits}) {
      Mask found(wide);
      const auto morph = eroding ? erode : dilate;
      const Result result = morph(mask.view(), image.height, image.width, element.data(),
                                  element.size(), route, found.arrays);
      expect(gave(result, found, want.pixels),
             std::string(eroding ? "erosion" : "dilation") + " by route " +
                 std::to_string(static_cast<int>(route)) + " of " + name(image));
    }
  }
}

void check_all() {
  const int sides[] = {0, 1, 2, 3, 31, 33, 63, 64, 65, 127, 128, 129};
  for (int i = 0; i < 600; ++i) {
    const int height = below(3) == 0 ? sides[below(12)] : below(40);
    const int width = below(2) == 0 ? sides[below(12)] : below(200);
    const Image image = random_image({height, width});
    const bool wide = below(2) == 0;
    check_components(image, wide, below(2) == 0);
    check_filters(image, wide, below(2) == 0);
    check_morphology(image, wide, random_element());
  }
  const Image flat = random_image({2, 5000}, 50);  // rows longer than a block of words
  check_components(flat, false, true);
  check_filters(flat, false, true);
  check_morphology(flat, false, {{70, 0}, {3, 1}});
}

// Images too large to hold: what counts is that memory follows the runs.
void check_giants() {
  constexpr int64_t kSide = (int64_t{1} << 31) - 1;
  const std::vector<std::pair<int64_t, int64_t>> pixels = {
      {0, 0}, {kSide / 2, kSide / 2}, {kSide - 1, kSide - 1}};
  Mask mask(true);
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
  Mask grown(true);
  const Reach small[] = {{2, 0}, {0, 3}};
  expect(dilate(mask.view(), kSide, kSide, small, 2, Route::automatic, grown.arrays).status ==
                 Status::ok &&
             area(grown.view()) == 6 + 11 + 6,
         "dilation of a giant");
  Mask shrunk(true);
  expect(erode(grown.view(), kSide, kSide, small, 2, Route::automatic, shrunk.arrays).status ==
                 Status::ok &&
             area(shrunk.view()) == 3,
         "erosion of a giant");
  Mask none(true), still_none(true);
  expect(
      dilate(none.view(), kSide, kSide, element, 2, Route::automatic, still_none.arrays).status ==
              Status::ok &&
          still_none.arrays.count() == 0,
      "nothing to dilate");
}

}  // namespace

int main(int argc, char** argv) {
  on_each_kernel_set(argc, argv, check_all);
  check_giants();
  return outcome();
}
