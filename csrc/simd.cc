#include "simd.h"

#include <atomic>
#include <bit>
#include <cstring>

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

// The blends below work on 64 bytes at a time, as 32 pairs of an even and an odd byte: plain loops
// over 16-bit numbers, which any compiler turns into whatever vectors its baseline has.
constexpr size_t kPairs = 32;

void blend_pairs(const uint16_t* from, uint16_t* to, const BlendSide& side, size_t term) {
  const uint16_t* even = side.even + term;
  const uint16_t* odd = side.odd + term;
  const unsigned scale = side.scale;
  for (size_t i = 0; i < kPairs; ++i) {
    const auto e = static_cast<uint16_t>((from[i] & 0xFFu) * scale + even[i]);
    const auto o = static_cast<uint16_t>((from[i] >> 8) * scale + odd[i]);
    const auto e_over_255 = static_cast<uint16_t>(static_cast<uint16_t>(e + (e >> 8)) >> 8);
    const auto o_over_255 = static_cast<uint16_t>(static_cast<uint16_t>(o + (o >> 8)) & 0xFF00u);
    to[i] = static_cast<uint16_t>(e_over_255 | o_over_255);
  }
}

// For each byte of mask bits, the bytes of 8 pixels: 0xFF where the pixel is set.
template <size_t Channels>
constexpr auto kChannelMasks = [] {
  struct {
    uint8_t of[256][8 * Channels];
  } table{};
  for (size_t byte = 0; byte < 256; ++byte) {
    for (size_t i = 0; i < 8 * Channels; ++i)
      table.of[byte][i] = byte >> (i / Channels) & 1 ? 0xFF : 0;
  }
  return table;
}();

template <size_t Channels>
void blend_uniform(const uint8_t* from, uint8_t* to, const BlendSide& side) {
  constexpr size_t kBytes = kWordPixels * Channels;
  if (!side.touched) {
    if (from != to) std::memcpy(to, from, kBytes);
    return;
  }
  for (size_t at = 0; at < kBytes; at += 2 * kPairs) {
    uint16_t here[kPairs], blended[kPairs];
    std::memcpy(here, from + at, sizeof here);
    blend_pairs(here, blended, side, Channels == 3 ? at / 2 : 0);
    std::memcpy(to + at, blended, sizeof blended);
  }
}

template <size_t Channels>
void blend_mixed(const uint8_t* from, uint8_t* to, uint64_t word, const BlendPair& pair) {
  constexpr size_t kBytes = kWordPixels * Channels;
  uint8_t masks[kBytes];
  for (size_t byte = 0; byte < 8; ++byte) {
    std::memcpy(masks + 8 * Channels * byte, kChannelMasks<Channels>.of[word >> (8 * byte) & 0xFF],
                8 * Channels);
  }
  for (size_t at = 0; at < kBytes; at += 2 * kPairs) {
    const size_t term = Channels == 3 ? at / 2 : 0;
    uint16_t here[kPairs], outside[kPairs], inside[kPairs], mask[kPairs];
    std::memcpy(here, from + at, sizeof here);
    std::memcpy(mask, masks + at, sizeof mask);
    blend_pairs(here, outside, pair.side[0], term);
    blend_pairs(here, inside, pair.side[1], term);
    for (size_t i = 0; i < kPairs; ++i) {
      outside[i] = static_cast<uint16_t>(outside[i] ^ ((outside[i] ^ inside[i]) & mask[i]));
    }
    std::memcpy(to + at, outside, sizeof outside);
  }
}

bool opaque(const uint8_t* pixels) {
  uint64_t all = ~uint64_t{0};
  for (size_t b = 0; b < 4 * kWordPixels; b += 8) all &= load64(pixels + b);
  return (all & 0xFF000000FF000000u) == 0xFF000000FF000000u;
}

template <size_t Channels>
void blend(const uint8_t* from, uint8_t* to, const uint64_t* words, size_t count,
           const BlendPair& pair) {
  for (size_t w = 0; w < count; ++w) {
    if (Channels == 4 && !opaque(from)) {
      blend4_general(from, to, words[w], pair);
    } else if (words[w] == 0 || words[w] == ~uint64_t{0}) {
      blend_uniform<Channels>(from, to, pair.side[words[w] & 1]);
    } else {
      blend_mixed<Channels>(from, to, words[w], pair);
    }
    from += kWordPixels * Channels;
    to += kWordPixels * Channels;
  }
}

struct Available {
  const Kernels* sets[4] = {};

  Available() {
    size_t n = 0;
#if defined(__x86_64__)
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                      __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("pclmul") &&
                      __builtin_cpu_supports("popcnt");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
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

const Kernels scalar_kernels = {"scalar", words_from_toggles, bytes_from_words, changes,
                                turns,    blend<3>,           blend<4>};

const Kernels& kernels() { return *current().load(std::memory_order_relaxed); }

bool use_kernels(const char* name) {
  const Kernels* set = available().find(name);
  if (set != nullptr) current().store(set, std::memory_order_relaxed);
  return set != nullptr;
}

const Kernels* available_kernels(size_t place) { return available().sets[place]; }

// Pillow's integer rule for any background alpha: 7 extra bits, a truncated quotient for the weight
// of the colour (looked up here, since it depends on the background's alpha alone).
void blend4_general(const uint8_t* from, uint8_t* to, uint64_t word, const BlendPair& pair) {
  const auto scaled = [](uint32_t t) { return ((t >> 8) + t) >> 8; };
  for (size_t p = 0; p < kWordPixels; ++p, from += 4, to += 4) {
    const BlendSide& side = pair.side[word >> p & 1];
    if (!side.touched) {
      if (from != to) std::memcpy(to, from, 4);
      continue;
    }
    const uint32_t alpha = from[3];
    const uint32_t over = side.weight[alpha];
    const uint32_t under = 255 * 128 - over;
    for (size_t c = 0; c < 3; ++c) {
      to[c] =
          static_cast<uint8_t>(scaled(side.colour[c] * over + from[c] * under + (128u << 7)) >> 7);
    }
    to[3] = static_cast<uint8_t>(scaled(side.colour[3] * 255u + alpha * side.scale + 128));
  }
}

}  // namespace runmask
