#include "png.h"

#include <algorithm>
#include <cstdlib>

#include "array.h"

namespace runmask {
namespace {

// The one of three neighbours that is nearest to left + up - corner, found without a jump.
int paeth(int left, int up, int corner) {
  const int to_left = std::abs(up - corner);
  const int to_up = std::abs(left - corner);
  const int to_corner = std::abs(left + up - 2 * corner);
  const int up_is_nearer = -(to_up < to_left);
  const int nearest = left ^ ((left ^ up) & up_is_nearer);
  const int corner_is_nearer = -(to_corner < std::min(to_left, to_up));
  return nearest ^ ((nearest ^ corner) & corner_is_nearer);
}

// Adds to each byte what the filter foretold from its neighbours in the pixels to the left, above
// and above that, 0 outside the image.
template <size_t kPixel, class Foretell>
void add(uint8_t* row, const uint8_t* above, size_t size, const Foretell& foretell) {
  int left[kPixel] = {};
  int corner[kPixel] = {};
  const auto add_one = [&](size_t i, size_t channel) {
    const int up = above[i];
    row[i] = static_cast<uint8_t>(row[i] + foretell(left[channel], up, corner[channel]));
    left[channel] = row[i];
    corner[channel] = up;
  };
  size_t i = 0;
  for (; i + kPixel <= size; i += kPixel) {
    for (size_t channel = 0; channel < kPixel; ++channel) add_one(i + channel, channel);
  }
  for (size_t channel = 0; i < size; ++i, ++channel) add_one(i, channel);
}

template <size_t kPixel>
bool undo(uint8_t filter, uint8_t* row, const uint8_t* above, size_t size) {
  switch (filter) {
    case 0:
      return true;
    case 1:
      add<kPixel>(row, above, size, [](int left, int, int) { return left; });
      return true;
    case 2:
      for (size_t i = 0; i < size; ++i) row[i] = static_cast<uint8_t>(row[i] + above[i]);
      return true;
    case 3:
      add<kPixel>(row, above, size, [](int left, int up, int) { return (left + up) / 2; });
      return true;
    case 4:
      add<kPixel>(row, above, size, paeth);
      return true;
    default:
      return false;
  }
}

}  // namespace

Result undo_filters(uint8_t* data, size_t rows, size_t row_bytes, size_t pixel_bytes) {
  decltype(&undo<1>) const by_pixel[] = {undo<1>, undo<2>, undo<3>, undo<4>};
  const auto undo_row = by_pixel[pixel_bytes - 1];
  Array<uint8_t> zeros;
  if (!zeros.reserve_more(row_bytes)) return {Status::no_memory, 0};
  std::fill_n(zeros.data(), row_bytes, uint8_t{0});
  const uint8_t* above = zeros.data();
  for (size_t y = 0; y < rows; ++y) {
    uint8_t* row = data + y * (row_bytes + 1) + 1;
    if (!undo_row(row[-1], row, above, row_bytes)) return {Status::bad_filter, y};
    above = row;
  }
  return {};
}

}  // namespace runmask
