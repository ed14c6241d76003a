// Undoing the row filters of PNG files.
#pragma once

#include <cstddef>
#include <cstdint>

#include "status.h"

namespace runmask {

// `data` holds rows of one filter byte and `row_bytes` bytes; they become what was filtered, in
// place. `pixel_bytes` is the size of a pixel, 1 to 4; 1 if that is less than a byte. Fails with
// bad_filter, where `at` is the row, or no_memory. O(bytes).
Result undo_filters(uint8_t* data, size_t rows, size_t row_bytes, size_t pixel_bytes);

}  // namespace runmask
