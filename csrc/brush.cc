#include "brush.h"

#include <algorithm>

#include "writer.h"

namespace runmask {
namespace {

constexpr unsigned kGroups[4] = {3, 4, 8, 16};

class BitReader {
 public:
  BitReader(const uint8_t* data, size_t size) : data_(data), bits_(8 * size) {}

  size_t byte() const { return at_ / 8; }
  bool has(size_t count) const { return count <= bits_ - at_; }

  // Up to 32 bits that there are.
  uint32_t take(size_t count) {
    uint64_t value = 0;
    size_t read = 0;
    for (size_t b = at_ / 8; read < at_ % 8 + count; ++b, read += 8) value = value << 8 | data_[b];
    value >>= read - at_ % 8 - count;
    at_ += count;
    return static_cast<uint32_t>(value & ((uint64_t{1} << count) - 1));
  }

 private:
  const uint8_t* data_;
  size_t bits_;
  size_t at_ = 0;
};

class BitWriter {
 public:
  explicit BitWriter(Array<uint8_t>& out) : out_(out) {}

  bool failed() const { return failed_; }

  // Up to 32 bits.
  void add(uint32_t value, size_t count) {
    failed_ |= !out_.reserve_more(6);
    if (failed_) return;
    pending_ = pending_ << count | value;
    for (held_ += count; held_ >= 8; held_ -= 8) {
      out_.append(static_cast<uint8_t>(pending_ >> (held_ - 8)));
    }
  }

  // Zeros up to a byte, and a whole byte of them where nothing is missing, as the converter does.
  void finish() { add(0, 8 - held_); }

 private:
  Array<uint8_t>& out_;
  uint64_t pending_ = 0;
  size_t held_ = 0;  // bits of it not written, below 8 between calls
  bool failed_ = false;
};

void write_words(int64_t count, uint8_t word, BitWriter& bits) {
  constexpr int64_t kMost = int64_t{1} << 16;
  unsigned group = 3;
  if (count <= 256) {
    group = 0;
    while (count > int64_t{1} << kGroups[group]) ++group;
  }
  for (; count > 0; count -= kMost) {
    bits.add(0b100 | group, 3);
    bits.add(static_cast<uint32_t>(std::min(count, kMost) - 1), kGroups[group]);
    bits.add(word, 8);
  }
}

}  // namespace

Result read_brush(const uint8_t* data, size_t size, int64_t total, unsigned threshold,
                  AnyArrays& out) {
  BitReader bits(data, size);
  if (!bits.has(32 + 5 + 16)) return {Status::cut_off, size};
  const int64_t words = bits.take(32);
  if (words != 4 * total || bits.take(5) != 7) return {Status::bad_header, 0};
  unsigned groups[4];
  for (unsigned& group : groups) group = bits.take(4) + 1;
  Result error;
  const Result written = write_runs(out, [&](auto& runs) {
    for (int64_t at = 0; at < words;) {
      const size_t begin = bits.byte();
      const auto fail = [&](Status status, size_t byte) { error = {status, byte}; };
      if (!bits.has(3)) return fail(Status::cut_off, size);
      const bool repeated = bits.take(1) != 0;
      const unsigned group = groups[bits.take(2)];
      if (!bits.has(group)) return fail(Status::cut_off, size);
      const int64_t count = int64_t{bits.take(group)} + 1;
      if (count > words - at) return fail(Status::counts_past_end, begin);
      if (!bits.has(repeated ? 8 : 8 * static_cast<size_t>(count))) {
        return fail(Status::cut_off, size);
      }
      const int64_t end = at + count;
      while (at < end) {
        const int64_t next = repeated ? end : at + 1;
        // word 4 * p + 3 is the alpha of pixel p
        if (bits.take(8) > threshold) runs.add(at / 4, next / 4);
        at = next;
      }
    }
  });
  return error.status != Status::ok ? error : written;
}

Result write_brush(const AnyRuns& any, int64_t total, Array<uint8_t>& out) {
  BitWriter bits(out);
  bits.add(static_cast<uint32_t>(4 * total), 32);
  bits.add(8 - 1, 5);
  for (const unsigned group : kGroups) bits.add(group - 1, 4);
  with_runs(any, [&](auto runs) {
    int64_t at = 0;
    for (size_t i = 0; i < runs.count && !bits.failed(); ++i) {
      write_words(4 * (runs.starts[i] - at), 0, bits);
      write_words(4 * int64_t{runs.lengths[i]}, 255, bits);
      at = int64_t{runs.starts[i]} + runs.lengths[i];
    }
    write_words(4 * (total - at), 0, bits);
  });
  bits.finish();
  return {bits.failed() ? Status::no_memory : Status::ok, 0};
}

}  // namespace runmask
