#include "components.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "pieces.h"
#include "writer.h"

namespace runmask {
namespace {

// What is known of a set of connected pieces. Rows only come in ascending order.
struct Part {
  int64_t area;
  double twice_x, y;  // sums over all pixels
  int32_t x0, y0, x1, y1;
};

// Sets of labels; each is known by its smallest label, so that numbers follow first pixels.
class Sets {
 public:
  [[nodiscard]] bool reserve(size_t more) {
    return parents_.reserve_more(more) && parts_.reserve_more(more);
  }

  uint32_t add(const Part& part) {
    const auto label = static_cast<uint32_t>(parents_.size());
    parents_.append(label);
    parts_.append(part);
    return label;
  }

  uint32_t find(uint32_t label) {
    uint32_t* parents = parents_.data();
    while (parents[label] != label) {
      parents[label] = parents[parents[label]];
      label = parents[label];
    }
    return label;
  }

  uint32_t join(uint32_t a, uint32_t b) {  // of two roots
    const uint32_t low = std::min(a, b);
    const uint32_t high = std::max(a, b);
    parents_[high] = low;
    return low;
  }

  Part& part(uint32_t label) { return parts_[label]; }

  // Puts each set's measures together and writes them; afterwards number() is known.
  Result finish(Components& out) {
    size_t parts = 0;
    for (size_t label = 0; label < parents_.size(); ++label) parts += parents_[label] == label;
    if (!out.areas.reserve_more(parts) || !out.boxes.reserve_more(4 * parts) ||
        !out.centroids.reserve_more(2 * parts)) {
      return {Status::no_memory, 0};
    }
    // A parent is smaller than its child: from the last label down each part is whole when it is
    // handed on, and from the first label up each parent has its number.
    for (size_t label = parents_.size(); label-- > 0;) {
      if (parents_[label] != label) merge(parts_[parents_[label]], parts_[label]);
    }
    uint32_t next = 0;
    for (size_t label = 0; label < parents_.size(); ++label) {
      if (parents_[label] != label) {
        parents_[label] = parents_[parents_[label]];
        continue;
      }
      write(parts_[label], out);
      parents_[label] = next++;
    }
    return {};
  }

  int32_t number(uint32_t label) const { return static_cast<int32_t>(parents_[label]); }

 private:
  static void merge(Part& into, const Part& part) {
    into.area += part.area;
    into.twice_x += part.twice_x;
    into.y += part.y;
    into.x0 = std::min(into.x0, part.x0);
    into.y0 = std::min(into.y0, part.y0);
    into.x1 = std::max(into.x1, part.x1);
    into.y1 = std::max(into.y1, part.y1);
  }

  static void write(const Part& part, Components& out) {
    out.areas.append(part.area);
    for (const int32_t side : {part.x0, part.y0, part.x1, part.y1}) out.boxes.append(side);
    const auto area = static_cast<double>(part.area);
    out.centroids.append(part.twice_x / (2 * area));
    out.centroids.append(part.y / area);
  }

  Array<uint32_t> parents_;
  Array<Part> parts_;
};

// The pieces of one row. Columns are unsigned: those of the row above are widened by one.
struct Row {
  Array<uint32_t> x0, x1;
  size_t size = 0;
  const int32_t* labels = nullptr;

  [[nodiscard]] bool reserve(size_t pieces) {
    return x0.reserve_more(pieces) && x1.reserve_more(pieces);
  }

  void add(int64_t from, int64_t to) {
    x0[size] = static_cast<uint32_t>(from);
    x1[size] = static_cast<uint32_t>(to);
    ++size;
  }

  bool same_as(const Row& other) const {
    return size == other.size && std::memcmp(x0.data(), other.x0.data(), size * 4) == 0 &&
           std::memcmp(x1.data(), other.x1.data(), size * 4) == 0;
  }
};

// Labels a mask row by row: rows() of pieces, then finish().
class Labeller {
 public:
  Labeller(Connectivity connectivity, int32_t* labels)
      : reach_(connectivity == Connectivity::eight ? 1 : 0), labels_(labels) {}

  // For rows of at most so many pieces.
  [[nodiscard]] bool reserve(size_t pieces) {
    return above_.reserve(pieces + 1) && row_.reserve(pieces + 1);
  }

  void piece(int64_t y, int64_t x0, int64_t x1) {
    if (y != y_) {
      end_row();
      if (y != y_ + 1) above_.size = 0;
      y_ = y;
    }
    row_.add(x0, x1);
  }

  Result finish(Components& out) {
    end_row();
    return failed_ ? Result{Status::no_memory, 0} : sets_.finish(out);
  }

  const Sets& sets() const { return sets_; }

 private:
  void end_row() {
    if (row_.size == 0) return;
    row_.labels = labels_;
    if (!sets_.reserve(row_.size)) {
      failed_ = true;
    } else if (row_.same_as(above_)) {
      inherit();
    } else {
      connect();
    }
    labels_ += row_.size;
    above_.x0.swap(row_.x0);
    above_.x1.swap(row_.x1);
    above_.size = std::exchange(row_.size, 0);
    above_.labels = row_.labels;
  }

  // Each piece belongs to the one above it, which it covers exactly.
  void inherit() {
    for (size_t i = 0; i < row_.size; ++i) {
      const uint32_t label = sets_.find(static_cast<uint32_t>(above_.labels[i]));
      labels_[i] = static_cast<int32_t>(label);
      measure(sets_.part(label), row_.x0[i], row_.x1[i]);
    }
  }

  // Each piece belongs to the sets of all pieces above that it meets, which become one.
  void connect() {
    const uint32_t* above0 = above_.x0.data();
    const uint32_t* above1 = above_.x1.data();
    const size_t count = above_.size;
    const auto y = static_cast<int32_t>(y_);
    size_t j = 0;
    for (size_t i = 0; i < row_.size; ++i) {
      const uint32_t x0 = row_.x0[i];
      const uint32_t x1 = row_.x1[i];
      while (j < count && above1[j] + reach_ <= x0) ++j;
      if (j == count || above0[j] >= x1 + reach_) {
        const auto area = static_cast<int64_t>(x1 - x0);
        labels_[i] = static_cast<int32_t>(
            sets_.add({area, twice_sum(x0, x1), static_cast<double>(area) * y,
                       static_cast<int32_t>(x0), y, static_cast<int32_t>(x1), y + 1}));
        continue;
      }
      uint32_t label = sets_.find(static_cast<uint32_t>(above_.labels[j]));
      while (j + 1 < count && above0[j + 1] < x1 + reach_) {
        ++j;
        const uint32_t other = sets_.find(static_cast<uint32_t>(above_.labels[j]));
        if (other != label) label = sets_.join(label, other);
      }
      labels_[i] = static_cast<int32_t>(label);
      measure(sets_.part(label), x0, x1);
    }
  }

  void measure(Part& part, uint32_t x0, uint32_t x1) const {
    const auto area = static_cast<int64_t>(x1 - x0);
    part.area += area;
    part.twice_x += twice_sum(x0, x1);
    part.y += static_cast<double>(area) * static_cast<double>(y_);
    part.x0 = std::min(part.x0, static_cast<int32_t>(x0));
    part.x1 = std::max(part.x1, static_cast<int32_t>(x1));
    part.y1 = static_cast<int32_t>(y_ + 1);
  }

  static double twice_sum(uint32_t x0, uint32_t x1) {
    return static_cast<double>(x1 - x0) * static_cast<double>(int64_t{x0} + x1 - 1);
  }

  uint32_t reach_;  // how far beside its own columns a piece touches the row above
  int32_t* labels_;
  Sets sets_;
  Row above_, row_;
  int64_t y_ = -1;
  bool failed_ = false;
};

template <class Index>
Result label(Runs<Index> runs, int64_t width, Connectivity connectivity, Components& out) {
  const size_t pieces = count_pieces(runs, width);
  if (!out.labels.reserve_more(pieces)) return {Status::no_memory, 0};
  Labeller labeller(connectivity, out.labels.data());
  const auto most = std::min(pieces, static_cast<size_t>(width / 2 + 1));  // in one row
  if (!labeller.reserve(most)) return {Status::no_memory, 0};
  for_each_piece(runs, width,
                 [&](int64_t y, int64_t x0, int64_t x1) { labeller.piece(y, x0, x1); });
  const Result result = labeller.finish(out);
  if (result.status != Status::ok) return result;
  out.labels.set_size(pieces);
  const Sets& sets = labeller.sets();
  for (int32_t& each : out.labels) each = sets.number(static_cast<uint32_t>(each));
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

size_t count_pieces(const AnyRuns& any, int64_t width) {
  return with_runs(any, [&](auto runs) { return count_pieces(runs, width); });
}

void row_pieces(const AnyRuns& any, int64_t width, int32_t* y, int32_t* x0, int32_t* x1) {
  with_runs(any, [&](auto runs) {
    for_each_piece(runs, width, [&](int64_t row, int64_t from, int64_t to) {
      *y++ = static_cast<int32_t>(row);
      *x0++ = static_cast<int32_t>(from);
      *x1++ = static_cast<int32_t>(to);
    });
  });
}

Result components(const AnyRuns& any, int64_t width, Connectivity connectivity, Components& out) {
  return with_runs(any, [&](auto runs) { return label(runs, width, connectivity, out); });
}

Result select(const AnyRuns& any, int64_t width, const int32_t* labels, const uint8_t* keep,
              AnyArrays& out) {
  return write_runs(out, [&](auto& writer) {
    with_runs(any, [&](auto runs) {
      for_each_piece(runs, width, [&](int64_t y, int64_t x0, int64_t x1) {
        if (keep[*labels++] != 0) writer.add(y * width + x0, y * width + x1);
      });
    });
  });
}

Result group(const AnyRuns& any, int64_t width, const int32_t* labels, size_t parts,
             PartRuns& out) {
  return with_runs(any, [&]<class Index>(Runs<Index> runs) {
    if constexpr (sizeof(Index) == sizeof(int64_t)) {
      return group(runs, width, labels, parts, out.runs.wide_starts, out.runs.wide_lengths,
                   out.bounds);
    } else {
      return group(runs, width, labels, parts, out.runs.narrow_starts, out.runs.narrow_lengths,
                   out.bounds);
    }
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

Result background(const AnyRuns& any, int64_t total, AnyArrays& out) {
  return write_runs(out, [&](auto& writer) {
    with_runs(any, [&](auto runs) {
      int64_t done = 0;
      for (size_t i = 0; i < runs.count; ++i) {
        writer.add(done, runs.starts[i]);
        done = int64_t{runs.starts[i]} + runs.lengths[i];
      }
      writer.add(done, total);
    });
  });
}

}  // namespace runmask
