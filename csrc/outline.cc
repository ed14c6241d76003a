#include "outline.h"

#include <algorithm>
#include <atomic>

#include "array.h"
#include "palette.h"
#include "sample_rows.h"
#include "stroke.h"
#include "threads.h"
#include "words.h"

namespace runmask {
namespace {

constexpr size_t kBandBytes = size_t{1} << 18;  // of samples, which stay in the cache

// The rows of pixels that are drawn at once, and the segments of each such band.
//
// A segment is kept once, with the first band that it comes to; those that go on are the caller's
// to remember.
class Bands {
 public:
  Bands(const Stroke& stroke, size_t fine, size_t width, size_t top, size_t bottom)
      : stroke_(stroke),
        fine_(static_cast<int64_t>(fine)),
        top_(static_cast<int64_t>(top)),
        bottom_(static_cast<int64_t>(bottom)) {
    const size_t row_bytes = (width + 63) / 64 * 8 * fine * fine;
    rows_ = static_cast<int64_t>(std::clamp<size_t>(kBandBytes / row_bytes, 1, bottom - top));
  }

  size_t count() const { return static_cast<size_t>((bottom_ - top_ - 1) / rows_ + 1); }
  size_t most_rows() const { return static_cast<size_t>(rows_); }
  // The first row of pixels of a band.
  size_t begin(size_t band) const {
    return static_cast<size_t>(std::min(top_ + static_cast<int64_t>(band) * rows_, bottom_));
  }

  const Segment* first(size_t band) const { return segments_.data() + ends_[band]; }
  const Segment* end(size_t band) const { return first(band + 1); }
  const Segment* all() const { return segments_.data(); }

  // Whether it comes to a row of pixels or to one behind.
  bool reaches(const Segment& segment, size_t row) const {
    return stroke_.rows(segment).last >= static_cast<int64_t>(row) * fine_;
  }

  [[nodiscard]] bool sort(const FlatRings& rings, bool through_centers) {
    const size_t count = this->count();
    if (!ends_.reserve_more(count + 2)) return false;
    ends_.set_size(count + 2);
    std::fill(ends_.begin(), ends_.end(), size_t{0});
    // Counted two places on, so that the sums are where each band's segments begin, one place on.
    each_segment(rings, through_centers, [&](const Segment&, size_t band) { ++ends_[band + 2]; });
    for (size_t band = 2; band < count + 2; ++band) ends_[band] += ends_[band - 1];
    if (!segments_.reserve_more(ends_[count + 1])) return false;
    each_segment(rings, through_centers, [&](const Segment& segment, size_t band) {
      segments_[ends_[band + 1]++] = segment;
    });
    return true;
  }

 private:
  // With the first band of each that comes to any.
  template <class Use>
  void each_segment(const FlatRings& rings, bool through_centers, const Use& use) const {
    const auto in_samples = [&](int32_t at) {
      return fine_ * (2 * int64_t{at} + (through_centers ? 1 : 0));
    };
    for (size_t ring = 0; ring < rings.count; ++ring) {
      const int64_t begin = rings.offsets[ring], end = rings.offsets[ring + 1];
      const int32_t* p = rings.points + 2 * (end - 1);
      for (int64_t i = begin; i < end; ++i) {
        const int32_t* q = rings.points + 2 * i;
        const Segment segment = {in_samples(p[0]), in_samples(p[1]), in_samples(q[0]),
                                 in_samples(q[1])};
        p = q;
        const Section rows = stroke_.rows(segment);
        if (rows.last < top_ * fine_ || rows.first >= bottom_ * fine_) continue;
        const int64_t row = std::max(rows.first, top_ * fine_) / fine_;
        use(segment, static_cast<size_t>((row - top_) / rows_));
      }
    }
  }

  const Stroke& stroke_;
  int64_t fine_, top_, bottom_, rows_ = 1;
  Array<size_t> ends_;  // where the segments of each band begin
  Array<Segment> segments_;
};

struct Drawing {
  const Stroke& stroke;
  const Bands& bands;
  const AnyRuns& mask;
  const Palette& palette;
  Target image;
  size_t width, top;
  Format format;
};

// The bands that one thread draws.
template <size_t Fine>
class Painter {
 public:
  explicit Painter(const Drawing& drawing)
      : of_(drawing),
        blocks_({of_.image.pixels, of_.image.strides}, of_.image, of_.width, of_.format) {}

  // Up to the first of them; false if there is no memory, as for the next one.
  [[nodiscard]] bool begin(size_t band) {
    const size_t padded = of_.width + kWordPixels;
    if (!samples_.allocate(of_.bands.most_rows(), of_.width) || !counts_.reserve_more(padded) ||
        !mask_.reserve_more(padded / kWordPixels + 2 * WordCursor<int32_t>::kWords)) {
      return false;
    }
    std::fill_n(mask_.data(), padded / kWordPixels, uint64_t{0});
    return take(of_.bands.all(), of_.bands.first(band), of_.bands.begin(band));
  }

  [[nodiscard]] bool next(size_t band) {
    const size_t row = of_.bands.begin(band), end = of_.bands.begin(band + 1);
    if (!take(of_.bands.first(band), of_.bands.end(band), row)) return false;
    size_t kept = 0;
    for (const Segment& segment : active_) {
      draw(segment, row, end);
      if (of_.bands.reaches(segment, end)) active_[kept++] = segment;
    }
    active_.set_size(kept);
    for (size_t y = row; y < end; ++y) paint(y - row, y);
    samples_.start_over();
    return true;
  }

 private:
  bool take(const Segment* first, const Segment* last, size_t row) {
    for (const Segment* s = first; s < last; ++s) {
      if (!of_.bands.reaches(*s, row)) continue;
      if (!active_.reserve_more(1)) return false;
      active_.append(*s);
    }
    return true;
  }

  void draw(const Segment& segment, size_t row, size_t end) {
    const auto fine = static_cast<int64_t>(Fine);
    const Section rows = {static_cast<int64_t>(row) * fine, static_cast<int64_t>(end) * fine - 1};
    const Section columns = {0, static_cast<int64_t>(of_.width) * fine - 1};
    const auto set = [&](auto plane, int64_t y, Section part) {
      part = part.within(columns);
      if (part.first > part.last) return;
      samples_.set(plane, static_cast<size_t>(y - rows.first), static_cast<size_t>(part.first),
                   static_cast<size_t>(part.last));
    };
    of_.stroke.each_row(segment, rows, [&](int64_t y, const Covered& covered) {
      const Section &closer = covered.closer, &ties = covered.not_farther;
      set(SampleRows<Fine>::certain, y, closer);
      if (ties.first < closer.first || ties.last > closer.last) {
        set(SampleRows<Fine>::if_masked, y, ties);
      }
    });
  }

  void paint(size_t row, size_t y) {
    const size_t words = (of_.width + kWordPixels - 1) / kWordPixels;
    if (samples_.any_if_masked(row)) read_mask(y);
    for (size_t word = 0; word < words;) {
      if (!samples_.any(row, word)) {
        ++word;
        continue;
      }
      const size_t first = word;
      for (; word < words && samples_.any(row, word); ++word) {
        uint8_t* counts = counts_.data() + (word - first) * kWordPixels;
        samples_.take_coverage(row, word, mask_[word], counts);
      }
      blend(y, first * kWordPixels, std::min(word * kWordPixels, of_.width));
    }
  }

  void read_mask(size_t y) {
    with_runs(of_.mask, [&]<class Index>(Runs<Index> runs) {
      WordCursor<Index> cursor(runs, y * of_.width, (y + 1) * of_.width);
      uint64_t* words = mask_.data();
      while (cursor.next(kernels(), words) != 0) words += WordCursor<Index>::kWords;
    });
  }

  void blend(size_t y, size_t first, size_t end) {
    for (size_t x = first; x < end;) {
      const size_t at = (y - of_.top) * of_.width + x;
      const size_t count = std::min(end - x, blocks_.most(at));
      by_words(blocks_.read(at, count), blocks_.target(at), count, of_.format.pixel_bytes(),
               [&](const uint8_t* from, uint8_t* to, size_t word, size_t whole) {
                 const uint8_t* counts = counts_.data() + (x - first) + word * kWordPixels;
                 of_.palette.paint(from, to, counts, whole);
               });
      blocks_.commit(at, count);
      x += count;
    }
  }

  const Drawing& of_;
  PixelBlocks blocks_;
  SampleRows<Fine> samples_;
  Array<Segment> active_;
  Array<uint64_t> mask_;
  Array<uint8_t> counts_;
};

// The colour for each number of samples, of 64.
Palette palette_of(const Colour& colour, Format format) {
  constexpr size_t kFull = SampleRows<1>::kFull;
  uint8_t colours[256][4] = {};
  for (size_t n = 0; n <= kFull; ++n) {
    std::copy_n(colour.channel, 3, colours[n]);
    colours[n][3] = static_cast<uint8_t>((2 * colour.alpha * n + kFull) / (2 * kFull));
  }
  return Palette(colours, format);
}

template <size_t Fine>
Result draw(const Drawing& drawing, int threads) {
  constexpr size_t kLeastPixels = size_t{1} << 18;  // less is not worth a thread
  const size_t band_pixels = drawing.bands.most_rows() * drawing.width;
  std::atomic<bool> failed = false;
  in_parallel(drawing.bands.count(), threads, kLeastPixels / band_pixels + 1,
              [&](size_t first, size_t last) {
                Painter<Fine> painter(drawing);
                bool good = painter.begin(first);
                for (size_t band = first; good && band < last; ++band) good = painter.next(band);
                if (!good) failed = true;
              });
  return {failed ? Status::no_memory : Status::ok, 0};
}

}  // namespace

Result outline(const FlatRings& rings, bool through_centers, const AnyRuns& mask, const Line& line,
               Target image, size_t width, Format format, size_t top, size_t bottom, int threads) {
  const size_t fine = line.smooth ? 8 : 1;
  Stroke stroke(line.width * static_cast<double>(fine), through_centers && fine == 1);
  if (!stroke.prepare()) return {Status::no_memory, 0};
  Bands bands(stroke, fine, width, top, bottom);
  if (!bands.sort(rings, through_centers)) return {Status::no_memory, 0};
  const Palette palette = palette_of(line.colour, format);
  const Drawing drawing = {stroke, bands, mask, palette, image, width, top, format};
  return line.smooth ? draw<8>(drawing, threads) : draw<1>(drawing, threads);
}

}  // namespace runmask
