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

struct BlendKernels;  // blend_kernels.h
struct HeatKernels;   // heatmap_kernels.h

struct Kernels {
  const char* name;
  const BlendKernels* blend;
  const HeatKernels* heat;

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
};

// The set in use: the best one, until another is chosen.
const Kernels& kernels();

// Switches to the set of that name; false if it is unknown or cannot run here. Not meant to be
// called while kernels run.
bool use_kernels(const char* name);

// The sets this processor can run, best first; null past the last.
const Kernels* available_kernels(size_t place);

extern const Kernels scalar_kernels;
#if defined(__x86_64__) || defined(_M_X64)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

}  // namespace runmask
