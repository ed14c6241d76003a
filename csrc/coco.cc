#include "coco.h"

#include <algorithm>

#include "algebra.h"

namespace runmask {
namespace {

constexpr size_t kMostGroups = 13;  // of 5 bits: 64-bit numbers

constexpr uint8_t kFirst = '0';
constexpr unsigned kData = 31;
constexpr unsigned kSign = 16;
constexpr unsigned kMore = 32;

inline int64_t with_sign(unsigned group) { return static_cast<int64_t>(group ^ kSign) - kSign; }

// The number at `at`, which moves behind it.
Status read_long_number(const char* text, size_t size, size_t& at, int64_t& number) {
  uint64_t bits = 0;
  for (size_t groups = 0;; ++groups) {
    if (at == size) return Status::cut_off;
    const unsigned group = static_cast<uint8_t>(text[at]) - unsigned{kFirst};
    if (group > (kMore | kData)) return Status::bad_character;
    ++at;
    if (groups == kMostGroups - 1) {  // the last four bits, and the sign that must agree with them
      if ((group & kMore) != 0 || (group >> 3 != 0 && group >> 3 != 3)) {
        return Status::number_too_long;
      }
      bits |= static_cast<uint64_t>(group) << 60;
      break;
    }
    if ((group & kMore) == 0) {
      bits |= static_cast<uint64_t>(with_sign(group)) << (5 * groups);
      break;
    }
    bits |= static_cast<uint64_t>(group & kData) << (5 * groups);
  }
  number = static_cast<int64_t>(bits);
  return Status::ok;
}

// Most numbers are one group.
inline Status read_number(const char* text, size_t size, size_t& at, int64_t& number) {
  const unsigned group = static_cast<uint8_t>(text[at]) - unsigned{kFirst};
  if (group >= kMore) return read_long_number(text, size, at, number);
  ++at;
  number = with_sign(group);
  return Status::ok;
}

inline char* write_number(int64_t number, char* to) {
  if (static_cast<uint64_t>(number) + kSign < kMore) {
    *to = static_cast<char>(kFirst + (static_cast<unsigned>(number) & kData));
    return to + 1;
  }
  for (;;) {
    const auto group = static_cast<unsigned>(number) & kData;
    number >>= 5;
    const bool more = number != ((group & kSign) != 0 ? -1 : 0);
    *to++ = static_cast<char>(kFirst + (more ? group | kMore : group));
    if (!more) return to;
  }
}

// Where counts come from: numbers as they are ...
struct NumberSource {
  static constexpr bool kDifferences = false;
  const int64_t* counts;
  size_t count;
  size_t at = 0;

  bool more() const { return at < count; }
  size_t place() const { return at; }
  Status next(int64_t& number) {
    number = *static_cast<const volatile int64_t*>(counts + at++);  // read once, if others write
    return Status::ok;
  }
};

// ... or a string, of which all but the first three are differences.
struct StringSource {
  static constexpr bool kDifferences = true;
  const char* text;
  size_t size;
  size_t at = 0;

  bool more() const { return at < size; }
  size_t place() const { return at; }
  Status next(int64_t& number) { return read_number(text, size, at, number); }
};

template <class Index, class Source>
Result read_pairs(Source source, int64_t total, bool whole, Index* starts, Index* lengths,
                  size_t& written) {
  size_t n = 0;
  int64_t at = 0;
  int64_t stop = -1;       // of the last run
  int64_t before[2] = {};  // what the next difference of each kind is from
  Result bad;
  const auto take = [&](int64_t& base, bool first, int64_t& count) {
    const size_t begin = source.place();
    Status status = source.next(count);
    if (status == Status::ok && count > total) status = Status::counts_past_end;  // sums fit below
    if (Source::kDifferences && status == Status::ok) count += base;
    if (status == Status::ok && count < 0) status = Status::negative_count;
    if (status == Status::ok && count > total - at) status = Status::counts_past_end;
    if (status != Status::ok) {
      bad = {status, status == Status::bad_character ? source.place() : begin};
      return false;
    }
    base = first ? 0 : count;
    at += count;
    return true;
  };
  for (bool first = true; source.more(); first = false) {
    int64_t clear, set;
    if (!take(before[0], first, clear)) return bad;  // the third number is no difference
    if (!source.more()) break;
    if (!take(before[1], false, set)) return bad;
    if (set == 0) continue;
    if (at - set == stop) {
      lengths[n - 1] = static_cast<Index>(lengths[n - 1] + set);
    } else {
      starts[n] = static_cast<Index>(at - set);
      lengths[n++] = static_cast<Index>(set);
    }
    stop = at;
  }
  written = n;
  return {whole && at != total ? Status::counts_short : Status::ok, source.place()};
}

template <class Source>
Result read_all(Source source, size_t most, int64_t total, bool whole, AnyArrays& out) {
  return with_arrays(out, [&](auto& starts, auto& lengths) {
    if (!starts.reserve_more(most / 2 + 1) || !lengths.reserve_more(most / 2 + 1)) {
      return Result{Status::no_memory, 0};
    }
    size_t written = 0;
    const Result result = read_pairs(source, total, whole, starts.data(), lengths.data(), written);
    starts.set_size(written);
    lengths.set_size(written);
    return result;
  });
}

// Appends the string in chunks, in which no room is looked for.
template <class Index>
bool write_pairs(Runs<Index> runs, int64_t total, Array<char>& out) {
  constexpr size_t kChunk = 512;
  int64_t at = 0;
  int64_t clear_before = 0;
  int64_t set_before = 0;
  for (size_t i = 0; i < runs.count;) {
    if (!out.reserve_more(2 * kChunk * kMostGroups, 2 * runs.count + 64)) return false;
    char* end = out.end();
    for (const size_t last = std::min(i + kChunk, runs.count); i < last; ++i) {
      const int64_t clear = runs.starts[i] - at;
      const int64_t set = runs.lengths[i];
      end = write_number(clear - clear_before, end);
      end = write_number(set - set_before, end);
      clear_before = i == 0 ? 0 : clear;  // the third number is no difference
      set_before = set;
      at += clear + set;
    }
    out.set_size(static_cast<size_t>(end - out.data()));
  }
  if (at == total && total != 0) return true;
  if (!out.reserve_more(kMostGroups)) return false;
  char* end = write_number(total - at - clear_before, out.end());
  out.set_size(static_cast<size_t>(end - out.data()));
  return true;
}

}  // namespace

Result read_counts(const int64_t* counts, size_t count, int64_t total, bool whole, AnyArrays& out) {
  return read_all(NumberSource{counts, count}, count, total, whole, out);
}

Result write_counts(const AnyRuns& any, int64_t total, Array<int64_t>& out) {
  if (!out.reserve_more(2 * any.count + 1)) return {Status::no_memory, 0};
  with_runs(any, [&](auto runs) {
    int64_t at = 0;
    for (size_t i = 0; i < runs.count; ++i) {
      out.append(runs.starts[i] - at);
      out.append(runs.lengths[i]);
      at = int64_t{runs.starts[i]} + runs.lengths[i];
    }
    if (at != total || total == 0) out.append(total - at);
  });
  return {};
}

Result read_coco_string(const char* text, size_t size, int64_t total, AnyArrays& out) {
  return read_all(StringSource{text, size}, size, total, true, out);
}

Result write_coco_string(const AnyRuns& any, int64_t total, Array<char>& out) {
  const bool good = with_runs(any, [&](auto runs) { return write_pairs(runs, total, out); });
  return {good ? Status::ok : Status::no_memory, 0};
}

Result coco_ious(const SizedRuns* masks, size_t count, const SizedRuns* others, size_t truths,
                 const uint8_t* crowd, double* out) {
  struct Measured {
    Box box;
    uint64_t area;
  };
  const auto measure = [](const SizedRuns& mask) {
    return Measured{bounding_box(mask.runs, mask.width), area(mask.runs)};
  };
  Array<Measured> measured;
  if (!measured.reserve_more(truths)) return {Status::no_memory, 0};
  for (size_t j = 0; j < truths; ++j) measured.append(measure(others[j]));
  for (size_t i = 0; i < count; ++i) {
    const SizedRuns& mask = masks[i];
    const Measured own = measure(mask);
    for (size_t j = 0; j < truths; ++j) {
      const SizedRuns& other = others[j];
      const Box& box = measured[j].box;
      double& ratio = out[i * truths + j];
      ratio = 0;
      if (std::min(own.box.x1, box.x1) <= std::max(own.box.x0, box.x0) ||
          std::min(own.box.y1, box.y1) <= std::max(own.box.y0, box.y0)) {
        continue;
      }
      if (mask.height != other.height || mask.width != other.width) {
        ratio = -1;
        continue;
      }
      const uint64_t common = overlap(mask.runs, other.runs);
      const uint64_t either = crowd[j] != 0 ? own.area : own.area + measured[j].area - common;
      ratio = static_cast<double>(common) / static_cast<double>(either);
    }
  }
  return {};
}

}  // namespace runmask
