#include "simd.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "blend_kernels.h"
#include "heatmap_kernels.h"

namespace runmask {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as little-endian bytes");

uint64_t load64(const uint8_t* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Gathers the lowest bit of each of 8 bytes (all others zero) into one byte.
uint64_t gather_low_bits(uint64_t bytes) { return (bytes * 0x0102040810204080u) >> 56; }

bool words_from_toggles(uint8_t* toggles, size_t count, bool inside, uint64_t* words) {
  uint64_t state = inside ? ~uint64_t{0} : 0;
  for (size_t w = 0; w < count; ++w, toggles += kWordPixels) {
    uint64_t x = 0;
    for (size_t b = 0; b < 8; ++b) {
      x |= gather_low_bits(load64(toggles + 8 * b) & 0x0101010101010101u) << (8 * b);
    }
    std::memset(toggles, 0, kWordPixels);
    for (int shift = 1; shift < 64; shift *= 2) x ^= x << shift;  // parity of all bits up to here
    words[w] = x ^ state;
    state = words[w] >> 63 ? ~uint64_t{0} : 0;
  }
  return state != 0;
}

constexpr auto kByteMasks = [] {
  struct {
    uint64_t of[256];
  } table{};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      if (byte >> bit & 1) table.of[byte] |= uint64_t{0xFF} << (8 * bit);
    }
  }
  return table;
}();

void bytes_from_words(const uint64_t* words, size_t count, uint8_t off, uint8_t on,
                      uint8_t* bytes) {
  const uint64_t all_off = off * 0x0101010101010101u;
  const uint64_t differ = static_cast<uint8_t>(off ^ on) * 0x0101010101010101u;
  for (size_t i = 0; i < 8 * count; ++i) {
    const uint64_t mask = kByteMasks.of[words[i / 8] >> (8 * (i % 8)) & 0xFF];
    const uint64_t value = (mask & differ) ^ all_off;
    std::memcpy(bytes + 8 * i, &value, sizeof value);
  }
}

uint64_t nonzero_bits(const uint8_t* pixels) {
  constexpr uint64_t kLow7 = 0x7F7F7F7F7F7F7F7Fu;
  uint64_t bits = 0;
  for (size_t b = 0; b < 8; ++b) {
    const uint64_t x = load64(pixels + 8 * b);
    bits |= gather_low_bits(((((x & kLow7) + kLow7) | x) & ~kLow7) >> 7) << (8 * b);
  }
  return bits;
}

bool uniform(const uint8_t* pixels) {
  const uint64_t first = pixels[0] * 0x0101010101010101u;
  uint64_t differ = 0;
  for (size_t b = 0; b < kWordPixels; b += 8) differ |= load64(pixels + b) ^ first;
  return differ == 0;
}

// Appends the positions of the bits set in a word, `base` added.
size_t list_bits(uint64_t bits, size_t base, uint16_t* positions, size_t found) {
  for (; bits != 0; bits &= bits - 1) {
    positions[found++] = static_cast<uint16_t>(base + static_cast<size_t>(std::countr_zero(bits)));
  }
  return found;
}

size_t changes(const uint8_t* pixels, size_t count, bool* inside, uint16_t* positions) {
  uint64_t before = *inside;
  size_t found = 0;
  for (size_t w = 0; w < count; ++w) {
    const uint8_t* at = pixels + kWordPixels * w;
    if (uniform(at) && (at[0] != 0) == (before != 0)) continue;
    const uint64_t bits = nonzero_bits(at);
    found = list_bits(bits ^ (bits << 1 | before), kWordPixels * w, positions, found);
    before = bits >> 63;
  }
  *inside = before != 0;
  return found;
}

size_t turns(const uint64_t* words, size_t count, bool* inside, uint16_t* positions) {
  uint64_t before = *inside;
  size_t found = 0;
  for (size_t w = 0; w < count; ++w) {
    found = list_bits(words[w] ^ (words[w] << 1 | before), kWordPixels * w, positions, found);
    before = words[w] >> 63;
  }
  *inside = before != 0;
  return found;
}

struct Available {
  const Kernels* sets[4] = {};

  Available() {
    size_t n = 0;
#if defined(__x86_64__)
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                      __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("pclmul") &&
                      __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("lzcnt");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512vbmi") &&
                        __builtin_cpu_supports("avx512vbmi2");
    if (avx512) sets[n++] = &avx512_kernels;
    if (avx2) sets[n++] = &avx2_kernels;
#endif
    sets[n] = &scalar_kernels;
  }

  const Kernels* find(const char* name) const {
    for (const Kernels* set : sets) {
      if (set != nullptr && std::strcmp(set->name, name) == 0) return set;
    }
    return nullptr;
  }
};

const Available& available() {
  static const Available sets;
  return sets;
}

std::atomic<const Kernels*>& current() {
  static std::atomic<const Kernels*> set = available().sets[0];
  return set;
}

}  // namespace

const Kernels scalar_kernels = {"scalar",
                                &scalar_blend_kernels,
                                &scalar_heat_kernels,
                                words_from_toggles,
                                bytes_from_words,
                                changes,
                                turns};

const Kernels& kernels() { return *current().load(std::memory_order_relaxed); }

bool use_kernels(const char* name) {
  const Kernels* set = available().find(name);
  if (set != nullptr) current().store(set, std::memory_order_relaxed);
  return set != nullptr;
}

const Kernels* available_kernels(size_t place) { return available().sets[place]; }

}  // namespace runmask
