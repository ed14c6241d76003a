// Whole numbers as text, as the run-length forms of competitions and annotation tools have them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "array.h"
#include "status.h"

namespace runmask {

// Appends the numbers of a text: decimal digits, a minus sign before them at will, between them
// blanks (space, tab, line ends) and at most one comma. Fails with bad_character, and with
// number_too_long for numbers outside 64 bits; `at` is the byte. O(size).
Result read_numerals(const char* text, size_t size, Array<int64_t>& out);

// Appends the numbers with one space between. O(count).
Result write_numerals(const int64_t* numbers, size_t count, Array<char>& out);

}  // namespace runmask
