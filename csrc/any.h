// Runs of either index width, for callers that learn the width at run time: the bridge to Python.
#pragma once

#include <cstddef>
#include <cstdint>

#include "array.h"
#include "runs.h"
#include "status.h"

namespace runmask {

struct AnyRuns {
  const void* starts = nullptr;
  const void* lengths = nullptr;
  size_t count = 0;
  bool wide = false;  // int64_t, else int32_t

  template <class Index>
  Runs<Index> as() const {
    return {static_cast<const Index*>(starts), static_cast<const Index*>(lengths), count};
  }
};

// Runs that an operation makes; the width is chosen before, by the size of their image.
struct AnyArrays {
  bool wide = false;
  Array<int32_t> narrow_starts, narrow_lengths;
  Array<int64_t> wide_starts, wide_lengths;

  template <class Index>
  Array<Index>& starts() {
    if constexpr (sizeof(Index) == sizeof(int64_t)) {
      return wide_starts;
    } else {
      return narrow_starts;
    }
  }
  template <class Index>
  Array<Index>& lengths() {
    if constexpr (sizeof(Index) == sizeof(int64_t)) {
      return wide_lengths;
    } else {
      return narrow_lengths;
    }
  }

  AnyRuns runs() const {
    return wide ? AnyRuns{wide_starts.data(), wide_lengths.data(), wide_starts.size(), true}
                : AnyRuns{narrow_starts.data(), narrow_lengths.data(), narrow_starts.size(), false};
  }
  size_t count() const { return wide ? wide_starts.size() : narrow_starts.size(); }
  AnyRuns view() const {
    if (wide) return {wide_starts.data(), wide_lengths.data(), count(), true};
    return {narrow_starts.data(), narrow_lengths.data(), count(), false};
  }
  size_t itemsize() const { return wide ? sizeof(int64_t) : sizeof(int32_t); }
  void* release_starts() {
    return wide ? static_cast<void*>(wide_starts.release()) : narrow_starts.release();
  }
  void* release_lengths() {
    return wide ? static_cast<void*>(wide_lengths.release()) : narrow_lengths.release();
  }
};

// Calls with the runs, or with the arrays to fill, in their own width.
template <class Call>
auto with_runs(const AnyRuns& runs, const Call& call) {
  return runs.wide ? call(runs.as<int64_t>()) : call(runs.as<int32_t>());
}
template <class Call>
Result with_arrays(AnyArrays& out, const Call& call) {
  return out.wide ? call(out.wide_starts, out.wide_lengths)
                  : call(out.narrow_starts, out.narrow_lengths);
}

// Pairs of 4 or 8 byte integers; those of an image that needs int64_t must have 8.
inline Result read(const void* starts, const void* lengths, size_t count, size_t itemsize,
                   int64_t total, Policy policy, AnyArrays& out, ReadReport& report) {
  const auto* starts64 = static_cast<const int64_t*>(starts);
  const auto* lengths64 = static_cast<const int64_t*>(lengths);
  if (out.wide) {
    return read(starts64, lengths64, count, total, policy, out.wide_starts, out.wide_lengths,
                report);
  }
  const auto narrow_total = static_cast<int32_t>(total);
  if (itemsize == sizeof(int64_t)) {
    return read(starts64, lengths64, count, narrow_total, policy, out.narrow_starts,
                out.narrow_lengths, report);
  }
  return read(static_cast<const int32_t*>(starts), static_cast<const int32_t*>(lengths), count,
              narrow_total, policy, out.narrow_starts, out.narrow_lengths, report);
}

inline bool is_canonical(const AnyRuns& any, int64_t total) {
  return any.wide ? is_canonical(any.as<int64_t>(), total)
                  : is_canonical(any.as<int32_t>(), static_cast<int32_t>(total));
}

inline Result encode(const uint8_t* pixels, size_t count, AnyArrays& out, size_t width = 0) {
  return with_arrays(out, [&](auto& starts, auto& lengths) {
    return encode(pixels, count, starts, lengths, width);
  });
}

inline void decode(const AnyRuns& any, size_t first, size_t last, uint8_t off, uint8_t on,
                   uint8_t* out) {
  with_runs(any, [&](auto runs) { decode(runs, first, last, off, on, out); });
}

inline uint64_t area(const AnyRuns& any) {
  return with_runs(any, [](auto runs) { return area(runs); });
}

inline Box bounding_box(const AnyRuns& any, int64_t width) {
  return with_runs(any, [&](auto runs) { return bounding_box(runs, width); });
}

}  // namespace runmask
