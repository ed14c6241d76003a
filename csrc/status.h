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
};

// `at` is the index of the run to blame; it has no meaning for ok and no_memory.
struct [[nodiscard]] Result {
  Status status = Status::ok;
  size_t at = 0;
};

}  // namespace runmask
