// From the JSON of an answer to its runs, with no stop at any other form of a number:
//
//   {"result": {"starts": [int, ...], "lengths": [int, ...]}, ...}
//
// What is read here can be left out of the text; the rest is a small document of the same kind,
// for any ordinary JSON reader to judge and to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "array.h"
#include "status.h"

namespace runmask {

// The elements of one array, and the bytes [first, last) of the text that held them.
struct Integers {
  bool wide = false;  // int64_t, from the first number of more than 8 digits on; else int32_t
  Array<int32_t> narrow_items;
  Array<int64_t> wide_items;
  size_t first = 0;
  size_t last = 0;

  size_t count() const { return wide ? wide_items.size() : narrow_items.size(); }
  size_t itemsize() const { return wide ? sizeof(int64_t) : sizeof(int32_t); }
  void* release() {
    return wide ? static_cast<void*>(wide_items.release()) : narrow_items.release();
  }
};

struct AnswerRuns {
  Integers starts, lengths;
};

// Reads the arrays "starts" and "lengths" in the object "result" of the object that `text` is.
// Other keys may stand anywhere; a key written with escapes is not recognised.
//
// Of each array the leading elements that are integers of 64 bits are read: all of them, and then
// [first, last) reaches up to the closing bracket; or, where an element is something else or the
// text is no JSON, all but the last of these. Either way a strict JSON reader finds the same in the
// text without [first, last), the same error at the same place included.
//
// Never reads outside the text, even if it is changed meanwhile. The only failure is no_memory.
// O(size) time, and memory for the integers alone; some address space more is asked for, not used.
Result read_answer(const uint8_t* text, size_t size, AnswerRuns& out);

}  // namespace runmask
