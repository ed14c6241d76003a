// The kernels that are worth writing once per instruction set, behind one table.
//
// Every set gives the same bytes; the scalar one is complete, portable and the oracle of the
// others. The set is chosen at run time, from what the processor has or by name.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runmask {

// Masks travel between kernels as words of 64 pixels, the first pixel in the lowest bit.
inline constexpr size_t kWordPixels = 64;

// What one side of a mask does to a pixel (see blend.cc for the arithmetic). Bytes are blended as
// (byte * scale + term) / 255 rounded; terms repeat every 192 bytes, a multiple of 1 to 4 channels.
struct BlendSide {
  bool touched;          // false: pixels of this side stay as they are
  uint8_t colour[4];     // R G B A
  uint16_t scale;        // 255 - alpha
  uint16_t even[96];     // colour * alpha + 128 for bytes 0, 2, 4 ...
  uint16_t odd[96];      // and for bytes 1, 3, 5 ...
  uint16_t weight[256];  // the colour's weight over a pixel of this alpha, of 255 * 128
};

struct BlendPair {
  BlendSide side[2];  // [0] outside the mask, [1] inside
};

struct Kernels {
  const char* name;

  // toggles: 64 bytes a word, 0xFF where the mask changes and 0 elsewhere; cleared on return.
  // `inside` is the state before the first byte; returns the state after the last.
  bool (*words_from_toggles)(uint8_t* toggles, size_t count, bool inside, uint64_t* words);

  // Each bit becomes a byte: `off` or `on`.
  void (*bytes_from_words)(const uint64_t* words, size_t count, uint8_t off, uint8_t on,
                           uint8_t* bytes);

  // Positions (relative to `pixels`, below 65536) where zero turns to nonzero or back, in order.
  // `inside` is the state before the first pixel, and the state after the last one on return.
  // Reads 64 * count pixels; may write 64 items past the last position.
  size_t (*changes)(const uint8_t* pixels, size_t count, bool* inside, uint16_t* positions);

  // The same for pixels that are words already.
  size_t (*turns)(const uint64_t* words, size_t count, bool* inside, uint16_t* positions);

  // Blends 64 * count pixels of 3 or 4 channels; `to` is `from` or does not overlap it.
  void (*blend3)(const uint8_t* from, uint8_t* to, const uint64_t* words, size_t count,
                 const BlendPair& pair);
  void (*blend4)(const uint8_t* from, uint8_t* to, const uint64_t* words, size_t count,
                 const BlendPair& pair);
};

// The set in use: the best one, until another is chosen.
const Kernels& kernels();

// Switches to the set of that name; false if it is unknown or cannot run here. Not meant to be
// called while kernels run.
bool use_kernels(const char* name);

// The sets this processor can run, best first; null past the last.
const Kernels* available_kernels(size_t place);

// Blends one word of 4-channel pixels that are not all opaque.
void blend4_general(const uint8_t* from, uint8_t* to, uint64_t word, const BlendPair& pair);

extern const Kernels scalar_kernels;
#if defined(__x86_64__) || defined(_M_X64)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

}  // namespace runmask
