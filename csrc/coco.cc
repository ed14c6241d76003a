#include "coco.h"

#include <algorithm>

#include "algebra.h"

namespace runmask {
namespace {

// Takes counts one after the other and makes runs of them.
template <class Index>
class CountReader {
 public:
  CountReader(int64_t total, Array<Index>& starts, Array<Index>& lengths)
      : total_(total), starts_(starts), lengths_(lengths) {}

  // Room for the runs of so many counts.
  [[nodiscard]] bool reserve(size_t counts) {
    return starts_.reserve_more(counts / 2 + 1) && lengths_.reserve_more(counts / 2 + 1);
  }

  Status add(int64_t count) {
    if (count < 0) return Status::negative_count;
    if (count > total_ - at_) return Status::counts_past_end;
    if (set_ && count != 0) {
      if (at_ == stop_) {
        Index& open = lengths_[lengths_.size() - 1];
        open = static_cast<Index>(open + count);
      } else {
        starts_.append(static_cast<Index>(at_));
        lengths_.append(static_cast<Index>(count));
      }
      stop_ = at_ + count;
    }
    at_ += count;
    set_ = !set_;
    return Status::ok;
  }

  Result finish(size_t end) const {
    return {at_ == total_ ? Status::ok : Status::counts_short, end};
  }

 private:
  int64_t total_;
  Array<Index>& starts_;
  Array<Index>& lengths_;
  int64_t at_ = 0;
  int64_t stop_ = -1;  // of the last run
  bool set_ = false;
};

template <class Call>
Result with_reader(AnyArrays& out, int64_t total, const Call& call) {
  return with_arrays(out, [&]<class Index>(Array<Index>& starts, Array<Index>& lengths) {
    return call(CountReader<Index>(total, starts, lengths));
  });
}

// Calls with the counts in order; false as soon as a call says so.
template <class Index, class Call>
bool for_counts(Runs<Index> runs, int64_t total, const Call& call) {
  int64_t at = 0;
  for (size_t i = 0; i < runs.count; ++i) {
    const int64_t start = runs.starts[i];
    if (!call(start - at) || !call(int64_t{runs.lengths[i]})) return false;
    at = start + runs.lengths[i];
  }
  return (at == total && total != 0) || call(total - at);
}

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
  for (;;) {
    const auto group = static_cast<unsigned>(number) & kData;
    number >>= 5;
    const bool more = number != ((group & kSign) != 0 ? -1 : 0);
    *to++ = static_cast<char>(kFirst + (more ? group | kMore : group));
    if (!more) return to;
  }
}

}  // namespace

Result read_counts(const int64_t* counts, size_t count, int64_t total, bool whole, AnyArrays& out) {
  return with_reader(out, total, [&](auto reader) {
    if (!reader.reserve(count)) return Result{Status::no_memory, 0};
    for (size_t i = 0; i < count; ++i) {
      const Status status = reader.add(*static_cast<const volatile int64_t*>(counts + i));
      if (status != Status::ok) return Result{status, i};
    }
    return whole ? reader.finish(count) : Result{};
  });
}

Result write_counts(const AnyRuns& any, int64_t total, Array<int64_t>& out) {
  if (!out.reserve_more(2 * any.count + 1)) return {Status::no_memory, 0};
  with_runs(any, [&](auto runs) {
    for_counts(runs, total, [&](int64_t count) {
      out.append(count);
      return true;
    });
  });
  return {};
}

Result read_coco_string(const char* text, size_t size, int64_t total, AnyArrays& out) {
  return with_reader(out, total, [&](auto reader) {
    if (!reader.reserve(size)) return Result{Status::no_memory, 0};
    int64_t before[2] = {0, 0};  // the last two counts
    size_t index = 0;
    for (size_t at = 0; at < size; ++index) {
      const size_t begin = at;
      int64_t count;
      const Status status = read_number(text, size, at, count);
      if (status != Status::ok) return Result{status, status == Status::bad_character ? at : begin};
      if (count > total) return Result{Status::counts_past_end, begin};  // so that no sum overflows
      if (index > 2) count += before[0];
      const Status added = reader.add(count);
      if (added != Status::ok) return Result{added, begin};
      before[0] = before[1];
      before[1] = count;
    }
    return reader.finish(size);
  });
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

Result write_coco_string(const AnyRuns& any, int64_t total, Array<char>& out) {
  // A chunk of counts is written without looking at the room left.
  constexpr size_t kChunk = 1024;
  if (!out.reserve_more(2 * any.count + kChunk * kMostGroups)) return {Status::no_memory, 0};
  const bool good = with_runs(any, [&](auto runs) {
    int64_t before[2] = {0, 0};
    size_t index = 0;
    return for_counts(runs, total, [&](int64_t count) {
      if (index % kChunk == 0 && !out.reserve_more(kChunk * kMostGroups)) return false;
      char* end = write_number(index > 2 ? count - before[0] : count, out.end());
      out.set_size(static_cast<size_t>(end - out.data()));
      before[0] = before[1];
      before[1] = count;
      ++index;
      return true;
    });
  });
  return {good ? Status::ok : Status::no_memory, 0};
}

}  // namespace runmask
