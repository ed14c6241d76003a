#include "components.h"

#include <algorithm>
#include <utility>

#include "labeller.h"
#include "pieces.h"

namespace runmask {
namespace {

// All that Components tells of a part.
struct Measures {
  int64_t area;
  double twice_x, y;  // sums over all pixels
  int32_t x0, y0, x1, y1;

  Measures(int64_t row, uint32_t from, uint32_t to)
      : area(to - from),
        twice_x(twice_sum(from, to)),
        y(sum(row, from, to)),
        x0(static_cast<int32_t>(from)),
        y0(static_cast<int32_t>(row)),
        x1(static_cast<int32_t>(to)),
        y1(static_cast<int32_t>(row + 1)) {}

  void add(int64_t row, uint32_t from, uint32_t to) {
    area += to - from;
    twice_x += twice_sum(from, to);
    y += sum(row, from, to);
    x0 = std::min(x0, static_cast<int32_t>(from));
    x1 = std::max(x1, static_cast<int32_t>(to));
    y1 = static_cast<int32_t>(row + 1);
  }

  void merge(const Measures& part) {
    area += part.area;
    twice_x += part.twice_x;
    y += part.y;
    x0 = std::min(x0, part.x0);
    y0 = std::min(y0, part.y0);
    x1 = std::max(x1, part.x1);
    y1 = std::max(y1, part.y1);
  }

 private:
  static double sum(int64_t row, uint32_t from, uint32_t to) {
    return static_cast<double>(to - from) * static_cast<double>(row);
  }
  static double twice_sum(uint32_t from, uint32_t to) {
    return static_cast<double>(to - from) * static_cast<double>(int64_t{from} + to - 1);
  }
};

// Writes the table and numbers the sets in its order.
Result write(Sets<Measures>& sets, Components& out) {
  size_t parts = 0;
  for (size_t label = 0; label < sets.size(); ++label) parts += sets.stands(label);
  if (!out.areas.reserve_more(parts) || !out.boxes.reserve_more(4 * parts) ||
      !out.centroids.reserve_more(2 * parts)) {
    return {Status::no_memory, 0};
  }
  sets.replace([&](const Measures& part) {
    const auto number = static_cast<uint32_t>(out.areas.size());
    const auto area = static_cast<double>(part.area);
    out.areas.append(part.area);
    for (const int32_t side : {part.x0, part.y0, part.x1, part.y1}) out.boxes.append(side);
    out.centroids.append(part.twice_x / (2 * area));
    out.centroids.append(part.y / area);
    return number;
  });
  for (int32_t& label : out.labels) label = static_cast<int32_t>(sets.value(label));
  return {};
}

template <class Index>
Result group(Runs<Index> runs, int64_t width, const int32_t* labels, size_t parts,
             Array<Index>& starts, Array<Index>& lengths, Array<int64_t>& bounds) {
  const size_t pieces = count_pieces(runs, width);
  if (!starts.reserve_more(pieces) || !lengths.reserve_more(pieces) ||
      !bounds.reserve_more(2 * parts)) {
    return {Status::no_memory, 0};
  }
  std::fill_n(bounds.data(), 2 * parts, 0);
  for (size_t i = 0; i < pieces; ++i) ++bounds[2 * static_cast<size_t>(labels[i])];
  int64_t first = 0;
  for (size_t part = 0; part < parts; ++part) {
    first += std::exchange(bounds[2 * part], first);
    bounds[2 * part + 1] = bounds[2 * part];
  }
  for_each_piece(runs, width, [&](int64_t y, int64_t x0, int64_t x1) {
    const auto part = static_cast<size_t>(*labels++);
    int64_t& end = bounds[2 * part + 1];
    const auto start = static_cast<Index>(y * width + x0);
    const auto length = static_cast<Index>(x1 - x0);
    const auto last = static_cast<size_t>(end - 1);
    if (end > bounds[2 * part] && starts[last] + lengths[last] == start) {  // over a row end
      lengths[last] = static_cast<Index>(lengths[last] + length);
      return;
    }
    starts[static_cast<size_t>(end)] = start;
    lengths[static_cast<size_t>(end)] = length;
    ++end;
  });
  starts.set_size(pieces);
  lengths.set_size(pieces);
  bounds.set_size(2 * parts);
  return {};
}

}  // namespace

Result components(const AnyRuns& any, int64_t width, Connectivity connectivity, Components& out) {
  return with_runs(any, [&](auto runs) {
    return label<Measures>(runs, width, connectivity, out.labels,
                           [&](Sets<Measures>& sets) { return write(sets, out); });
  });
}

Result select(const AnyRuns& any, int64_t width, const int32_t* labels, const uint8_t* keep,
              AnyArrays& out) {
  return with_same_width(any, out, [&](auto runs, auto& starts, auto& lengths) {
    const auto kept = [&](int32_t label) { return keep[label] != 0; };
    return select(runs, count_pieces(runs, width), width, labels, kept, starts, lengths);
  });
}

Result group(const AnyRuns& any, int64_t width, const int32_t* labels, size_t parts,
             PartRuns& out) {
  return with_same_width(any, out.runs, [&](auto runs, auto& starts, auto& lengths) {
    return group(runs, width, labels, parts, starts, lengths, out.bounds);
  });
}

void paint_labels(const AnyRuns& any, int64_t height, int64_t width, const int32_t* labels,
                  int32_t* pixels) {
  int64_t done = 0;
  with_runs(any, [&](auto runs) {
    for_each_piece(runs, width, [&](int64_t y, int64_t x0, int64_t x1) {
      const int64_t start = y * width + x0;
      std::fill(pixels + done, pixels + start, 0);
      done = start + (x1 - x0);
      std::fill(pixels + start, pixels + done, 1 + *labels++);
    });
  });
  std::fill(pixels + done, pixels + height * width, 0);
}

}  // namespace runmask
