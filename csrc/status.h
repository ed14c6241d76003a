// How the core reports failure: a code that says what, and a position that says where.
#pragma once

#include <cstddef>

namespace runmask {

enum class Status : int {
  ok = 0,
  negative_start,   // a run starts before the image
  negative_length,  // a run has a length below zero
  past_end,         // a run reaches past the last pixel
  no_memory,        // an allocation failed

  bad_character,    // a byte that the text form does not have
  cut_off,          // the data ends inside an item
  number_too_long,  // a number of more digits than the form allows
  negative_count,   // a number of pixels below zero
  counts_past_end,  // more pixels than the image has
  counts_short,     // fewer pixels than the image has
  bad_header,       // a head that does not belong to this image or this form
  bad_filter,       // a PNG row with an unknown filter
  bad_point,        // a point that is not finite, or farther out than any image
  too_many,         // more points than there is room for numbers of them

  too_many_corners,  // contours of more corners than allowed
};

// `at` is the index of the run, count, byte, row or point to blame; it has no meaning for ok and
// no_memory.
struct [[nodiscard]] Result {
  Status status = Status::ok;
  size_t at = 0;
};

}  // namespace runmask
