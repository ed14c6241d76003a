#include "pixels.h"

#include <algorithm>
#include <memory>
#include <new>

#include "threads.h"

namespace runmask {
namespace {

constexpr size_t kLeastPixels = size_t{1} << 19;  // less is not worth a thread

// Appends runs of pixels that begin `shift` pixels later; a run that goes on there stays one.
template <class Index>
bool append(const Array<Index>& starts, const Array<Index>& lengths, size_t shift,
            Array<Index>& out_starts, Array<Index>& out_lengths) {
  const auto by = static_cast<Index>(shift);
  const size_t count = starts.size();
  const size_t last = out_starts.size() - 1;
  const bool joins = count != 0 && starts[0] == 0 && out_starts.size() != 0 &&
                     out_starts[last] + out_lengths[last] == by;
  if (joins) out_lengths[last] = static_cast<Index>(out_lengths[last] + lengths[0]);
  if (!out_starts.reserve_more(count) || !out_lengths.reserve_more(count)) return false;
  std::transform(starts.begin() + joins, starts.end(), out_starts.end(),
                 [by](Index start) { return static_cast<Index>(start + by); });
  std::copy(lengths.begin() + joins, lengths.end(), out_lengths.end());
  out_starts.set_size(out_starts.size() + count - joins);
  out_lengths.set_size(out_lengths.size() + count - joins);
  return true;
}

struct Part {
  size_t first, last;  // rows
  AnyArrays runs;
  Result result;
};

}  // namespace

Result encode(const uint8_t* pixels, size_t height, size_t width, int threads, AnyArrays& out) {
  const size_t wanted = std::min(static_cast<size_t>(std::max(threads, 1)), height);
  const size_t count = std::min(wanted, height * width / kLeastPixels);
  if (count < 2) return encode(pixels, height * width, out, width);
  const std::unique_ptr<Part[]> parts(new (std::nothrow) Part[count]);
  if (parts == nullptr) return {Status::no_memory, 0};
  in_parallel(count, threads, 1, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      Part& part = parts[i];
      part.runs.wide = out.wide;
      part.first = height / count * i + std::min(i, height % count);
      part.last = height / count * (i + 1) + std::min(i + 1, height % count);
      part.result = encode(pixels + part.first * width, (part.last - part.first) * width,
                           i == 0 ? out : part.runs, width);
    }
  });
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].result.status != Status::ok) return parts[i].result;
  }
  return with_arrays(out, [&]<class Index>(Array<Index>& starts, Array<Index>& lengths) {
    bool good = true;
    for (size_t i = 1; good && i < count; ++i) {
      AnyArrays& more = parts[i].runs;
      good = append(more.starts<Index>(), more.lengths<Index>(), parts[i].first * width, starts,
                    lengths);
    }
    return good ? Result{} : Result{Status::no_memory, 0};
  });
}

void decode(const AnyRuns& any, size_t width, size_t first, size_t last, uint8_t off, uint8_t on,
            int threads, uint8_t* out) {
  with_runs(any, [&](auto runs) {
    in_parallel(last - first, threads, kLeastPixels, [&](size_t from, size_t to) {
      decode(runs, first + from, first + to, off, on, out + from, width);
    });
  });
}

}  // namespace runmask
