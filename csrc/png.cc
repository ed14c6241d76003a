#include "png.h"

#include <cstdlib>

namespace runmask {
namespace {

// The one of three neighbours that is nearest to left + up - corner.
uint8_t paeth(int left, int up, int corner) {
  const int to_left = std::abs(up - corner);
  const int to_up = std::abs(left - corner);
  const int to_corner = std::abs(left + up - 2 * corner);
  if (to_left <= to_up && to_left <= to_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(to_up <= to_corner ? up : corner);
}

// Adds to each byte what the filter foretold from its neighbours, 0 outside the image.
template <class Foretell>
void add(uint8_t* row, const uint8_t* above, size_t size, size_t pixel, const Foretell& foretell) {
  for (size_t i = 0; i < size; ++i) {
    const int left = i >= pixel ? row[i - pixel] : 0;
    const int up = above != nullptr ? above[i] : 0;
    const int corner = i >= pixel && above != nullptr ? above[i - pixel] : 0;
    row[i] = static_cast<uint8_t>(row[i] + foretell(left, up, corner));
  }
}

}  // namespace

Result undo_filters(uint8_t* data, size_t rows, size_t row_bytes, size_t pixel_bytes) {
  const uint8_t* above = nullptr;
  for (size_t y = 0; y < rows; ++y) {
    uint8_t* row = data + y * (row_bytes + 1) + 1;
    switch (row[-1]) {
      case 0:
        break;
      case 1:
        add(row, above, row_bytes, pixel_bytes, [](int left, int, int) { return left; });
        break;
      case 2:
        add(row, above, row_bytes, pixel_bytes, [](int, int up, int) { return up; });
        break;
      case 3:
        add(row, above, row_bytes, pixel_bytes,
            [](int left, int up, int) { return (left + up) / 2; });
        break;
      case 4:
        add(row, above, row_bytes, pixel_bytes, paeth);
        break;
      default:
        return {Status::bad_filter, y};
    }
    above = row;
  }
  return {};
}

}  // namespace runmask
