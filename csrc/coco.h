// The forms of the COCO data set: alternating numbers of clear and set pixels ("counts"), first
// clear, and the compressed string of them.
//
// The order of the pixels is the caller's: COCO numbers them down the columns, so that its counts
// are the runs of the transposed image.
//
// The string has a number in groups of 5 bits, lowest first, two's complement; a byte is 48 + the
// group, + 32 when more groups follow. From the fourth on, a count is written as its difference to
// the count two before it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "any.h"
#include "array.h"
#include "status.h"

namespace runmask {

// Counts that must add up to `total`; if not `whole`, what they leave out is clear. Zeros between
// are legal and join what stands beside them. Fails with negative_count, counts_past_end (`at` is
// the index of the count) or counts_short. Each count is read once. O(count).
Result read_counts(const int64_t* counts, size_t count, int64_t total, bool whole, AnyArrays& out);

// Appends the counts: the first may be 0, no other is, except that no pixels at all are one 0.
Result write_counts(const AnyRuns& runs, int64_t total, Array<int64_t>& out);

// As read_counts(), and `at` is the byte where the number begins, or the byte itself for
// bad_character; cut_off and number_too_long (more than 13 groups) can be as well. O(size).
Result read_coco_string(const char* text, size_t size, int64_t total, AnyArrays& out);

Result write_coco_string(const AnyRuns& runs, int64_t total, Array<char>& out);

struct SizedRuns {
  AnyRuns runs;
  int64_t height, width;
};

// Pixels set in both over pixels set in either, of each of `count` masks with each of `truths`
// other ones, row after row; over the first one's pixels alone where crowd[truth] is not 0. Masks
// of different sizes give -1 where their boxes overlap, and 0 where not. O(count * truths), and the
// runs of those whose boxes overlap.
Result coco_ious(const SizedRuns* masks, size_t count, const SizedRuns* others, size_t truths,
                 const uint8_t* crowd, double* out);

}  // namespace runmask
