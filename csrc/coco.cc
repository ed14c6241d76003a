#include "coco.h"

#include <algorithm>
#include <type_traits>

#include "algebra.h"
#include "coco_kernels.h"

namespace runmask {
namespace {

int64_t with_sign(unsigned group) { return static_cast<int64_t>(group ^ kCocoSign) - kCocoSign; }

// The number at `at`, which moves behind it.
Status read_long_number(const char* text, size_t size, size_t& at, int64_t& number) {
  uint64_t bits = 0;
  for (size_t groups = 0;; ++groups) {
    if (at == size) return Status::cut_off;
    const unsigned group = static_cast<uint8_t>(text[at]) - unsigned{kCocoFirst};
    if (group > (kCocoMore | kCocoData)) return Status::bad_character;
    ++at;
    if (groups ==
        kCocoMostGroups - 1) {  // the last four bits, and the sign that must agree with them
      if ((group & kCocoMore) != 0 || (group >> 3 != 0 && group >> 3 != 3)) {
        return Status::number_too_long;
      }
      bits |= static_cast<uint64_t>(group) << 60;
      break;
    }
    if ((group & kCocoMore) == 0) {
      bits |= static_cast<uint64_t>(with_sign(group)) << (5 * groups);
      break;
    }
    bits |= static_cast<uint64_t>(group & kCocoData) << (5 * groups);
  }
  number = static_cast<int64_t>(bits);
  return Status::ok;
}

// Most numbers are one group.
inline Status read_number(const char* text, size_t size, size_t& at, int64_t& number) {
  const unsigned group = static_cast<uint8_t>(text[at]) - unsigned{kCocoFirst};
  if (group >= kCocoMore) return read_long_number(text, size, at, number);
  ++at;
  number = with_sign(group);
  return Status::ok;
}

// Where counts come from: numbers as they are ...
class NumberSource {
 public:
  static constexpr bool kDifferences = false;
  NumberSource(const int64_t* counts, size_t count) : counts_(counts), count_(count) {}

  bool more() const { return at_ < count_; }
  Status next(int64_t& number) {
    number = *static_cast<const volatile int64_t*>(counts_ + at_++);  // read once, if others write
    return Status::ok;
  }
  size_t began() const { return at_ - 1; }  // the number read last
  size_t ended() const { return at_; }

 private:
  const int64_t* counts_;
  size_t count_;
  size_t at_ = 0;
};

// ... or a string, of which all but the first three are differences.
class StringSource {
 public:
  static constexpr bool kDifferences = true;
  StringSource(const char* text, size_t size) : text_(text), size_(size) {}

  bool more() const { return used_ < count_ || at_ < size_; }
  Status next(int64_t& number) {
    if (used_ == count_) refill();
    if (count_ == 0) return read_number(text_, size_, at_, number);
    number = numbers_[used_++];
    return Status::ok;
  }
  // The numbers that come next, as far as they are read already.
  const int64_t* ready(size_t& count) {
    if (used_ == count_) refill();
    count = count_ - used_;
    return numbers_ + used_;
  }
  void skip(size_t count) { used_ += count; }

  size_t began() const {  // the number read last
    size_t at = began_;
    for (size_t before = used_; before > 1; ++at)
      before -= ((text_[at] - kCocoFirst) & kCocoMore) == 0;
    return at;
  }
  size_t ended() const { return at_; }  // what was read of it

 private:
  void refill() {
    used_ = 0;
    began_ = at_;
    count_ = kernels_.read(text_, size_, &at_, numbers_);
  }

  const CocoKernels& kernels_ = coco_kernels();
  const char* text_;
  size_t size_;
  size_t at_ = 0;
  size_t began_ = 0;  // the numbers that came last, together
  size_t count_ = 0;
  size_t used_ = 0;
  int64_t numbers_[kCocoNumbers];
};

// The numbers that are ready at one time are few and of 40 bits: their sums fit below this.
constexpr int64_t kMostPlain = int64_t{1} << 40;

// Pairs of differences that are ready, if nothing is wrong with them and no count is 0: no
// branches.
template <class Index>
bool read_plain(StringSource& source, int64_t total, int64_t& at, int64_t* before, Index* starts,
                Index* lengths, size_t& written) {
  size_t count;
  const int64_t* numbers = source.ready(count);
  int64_t clear = before[0];
  int64_t set = before[1];
  int64_t here = at;
  int64_t signs = 0;
  size_t n = written;
  for (size_t i = 0; i + 2 <= count; i += 2) {
    clear += numbers[i];
    set += numbers[i + 1];
    signs |= (clear - 1) | (set - 1);
    here += clear;
    starts[n] = static_cast<Index>(here);
    lengths[n++] = static_cast<Index>(set);
    here += set;
  }
  if (count < 2 || signs < 0 || here > total) return false;
  source.skip(count / 2 * 2);
  before[0] = clear;
  before[1] = set;
  at = here;
  written = n;
  return true;
}

template <class Index, class Source>
Result read_pairs(Source& source, int64_t total, bool whole, Index* starts, Index* lengths,
                  size_t& written) {
  size_t n = 0;
  int64_t at = 0;
  int64_t stop = -1;       // of the last run
  int64_t before[2] = {};  // what the next difference of each kind is from
  Result bad;
  const auto take = [&](int64_t& base, bool first, int64_t& count) {
    Status status = source.next(count);
    if (status == Status::ok && count > total) status = Status::counts_past_end;  // sums fit below
    if (Source::kDifferences && status == Status::ok) count += base;
    if (status == Status::ok && count < 0) status = Status::negative_count;
    if (status == Status::ok && count > total - at) status = Status::counts_past_end;
    if (status != Status::ok) {
      bad = {status, status == Status::bad_character ? source.ended() : source.began()};
      return false;
    }
    base = first ? 0 : count;
    at += count;
    return true;
  };
  for (bool first = true; source.more(); first = false) {
    if constexpr (Source::kDifferences) {
      if (!first && total <= kMostPlain &&
          read_plain(source, total, at, before, starts, lengths, n)) {
        stop = at;
        continue;
      }
    }
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
  return {whole && at != total ? Status::counts_short : Status::ok, source.ended()};
}

template <class Source>
Result read_all(Source&& source, size_t most, int64_t total, bool whole, AnyArrays& out) {
  return with_arrays(out, [&](auto& starts, auto& lengths) {
    starts.set_size(0);
    lengths.set_size(0);
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

template <class Number>
bool append_text(const Number* numbers, size_t count, size_t expected, Array<char>& out) {
  if (!out.reserve_more(count * kCocoMostGroups + kCocoSpare, expected + kCocoSpare)) return false;
  char* end;
  if constexpr (std::is_same_v<Number, int32_t>) {
    end = coco_kernels().write(numbers, count, out.end());
  } else {
    end = write_coco_numbers(numbers, count, out.end());
  }
  out.set_size(static_cast<size_t>(end - out.data()));
  return true;
}

// Appends the string in chunks: their numbers, then their text.
template <class Index>
bool write_pairs(Runs<Index> runs, Index total, Array<char>& out) {
  constexpr size_t kChunk = 256;
  using Bits = std::make_unsigned_t<Index>;  // sums may wrap, differences fit
  Index numbers[2 * kChunk] = {};
  const auto stop = [&](size_t i) { return static_cast<Index>(runs.starts[i] + runs.lengths[i]); };
  const auto clear = [&](size_t i) {
    return static_cast<Index>(i == 0 ? runs.starts[0] : runs.starts[i] - stop(i - 1));
  };
  const size_t first = std::min<size_t>(runs.count, 2);
  for (size_t i = 0; i < first; ++i) {  // the third number is no difference yet
    numbers[2 * i] = clear(i);
    numbers[2 * i + 1] = static_cast<Index>(runs.lengths[i] - (i == 0 ? 0 : runs.lengths[0]));
  }
  const size_t expected = 2 * runs.count;
  if (!append_text(numbers, 2 * first, expected, out)) return false;
  for (size_t i = first; i < runs.count; i += kChunk) {
    const size_t size = std::min(kChunk, runs.count - i);
    const auto start = [at = runs.starts + i](size_t j) { return static_cast<Bits>(at[j]); };
    const auto length = [at = runs.lengths + i](size_t j) { return static_cast<Bits>(at[j]); };
    for (size_t j = 0; j < size; ++j) {
      const Bits here = start(j) - start(j - 1) - length(j - 1);
      const Bits above = start(j - 1) - start(j - 2) - length(j - 2);
      numbers[2 * j] = static_cast<Index>(here - above);
      numbers[2 * j + 1] = static_cast<Index>(length(j) - length(j - 1));
    }
    if (!append_text(numbers, 2 * size, expected, out)) return false;
  }
  const Index behind = runs.count == 0 ? 0 : stop(runs.count - 1);
  if (behind == total && total != 0) return true;
  const Index before = runs.count < 2 ? 0 : clear(runs.count - 1);
  numbers[0] = static_cast<Index>(total - behind - before);
  return append_text(numbers, 1, 0, out);
}

}  // namespace

Result read_counts(const int64_t* counts, size_t count, int64_t total, bool whole, AnyArrays& out) {
  return read_all(NumberSource(counts, count), count, total, whole, out);
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
  return read_all(StringSource(text, size), size, total, true, out);
}

Result write_coco_string(const AnyRuns& any, int64_t total, Array<char>& out) {
  const bool good = with_runs(any, [&]<class Index>(Runs<Index> runs) {
    return write_pairs(runs, static_cast<Index>(total), out);
  });
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
