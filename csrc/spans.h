// Sorted spans of pixels, shifted and united: what morphology on runs is made of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "array.h"
#include "pieces.h"

namespace runmask {

struct Span {
  int64_t start, stop;
};

// Ascending, disjoint and not touching; they may reach outside the image.
using Spans = Array<Span>;

inline constexpr Span kNoSpan = {INT64_MAX, INT64_MAX};  // after all others

// The spans that have pixels in [0, total) when moved by `by`, moved and cut.
class ShiftedSpans {
 public:
  ShiftedSpans(const Spans& spans, int64_t by, int64_t total) : by_(by), end_(total - by) {
    const Span* behind = spans.data() + spans.size();
    at_ = std::partition_point(spans.data(), behind, [&](Span span) { return span.stop <= -by; });
    const Span* last =
        std::partition_point(at_, behind, [&](Span span) { return span.start < end_; });
    size_ = static_cast<size_t>(last - at_);
  }

  size_t size() const { return size_; }
  Span next() {
    const Span span = *at_++;
    return {std::max(span.start, -by_) + by_, std::min(span.stop, end_) + by_};
  }

 private:
  const Span* at_;
  size_t size_;
  int64_t by_, end_;
};

// Spans inside the image, each longer by `by` at both ends but not past the ends of its rows. They
// may overlap then; their starts still ascend.
class WidenedSpans {
 public:
  WidenedSpans(ShiftedSpans spans, int64_t by, int64_t width)
      : spans_(spans), by_(by), width_(width), row_(width) {}

  size_t size() const { return spans_.size(); }
  Span next() {
    const Span span = spans_.next();
    row_.seek(span.start);
    const int64_t start = std::max(span.start - by_, row_.begin());
    row_.seek(span.stop - 1);
    return {start, std::min(span.stop + by_, row_.begin() + width_)};
  }

 private:
  ShiftedSpans spans_;
  int64_t by_, width_;
  RowTracker row_;
};

// Writes the union of two sequences of spans in order of their starts; false if there is no memory.
template <class First, class Second>
[[nodiscard]] bool unite(First first, Second second, Spans& out) {
  size_t firsts = first.size();
  size_t seconds = second.size();
  out.set_size(0);
  if (!out.reserve_more(firsts + seconds + 1)) return false;
  Span a = firsts != 0 ? first.next() : kNoSpan;
  Span b = seconds != 0 ? second.next() : kNoSpan;
  Span open = {0, -1};  // nothing yet: the first span leaves a gap to it
  Span* to = out.data();
  for (size_t left = firsts + seconds; left > 0; --left) {
    Span next;
    if (a.start <= b.start) {
      next = a;
      a = --firsts != 0 ? first.next() : kNoSpan;
    } else {
      next = b;
      b = --seconds != 0 ? second.next() : kNoSpan;
    }
    *to = open;  // written ahead: it stays only if a gap follows
    const bool gap = next.start > open.stop;
    to += gap & (open.stop >= 0);
    open.start = gap ? next.start : open.start;
    open.stop = std::max(open.stop, next.stop);
  }
  if (open.stop >= 0) *to++ = open;
  out.set_size(static_cast<size_t>(to - out.data()));
  return true;
}

}  // namespace runmask
