// The x86-64 kernels for numbers, with AVX2. Numbers are converted eight at a time from loads of
// their last 8 bytes: wider registers would make neither the loads nor the search for ends fewer.
//
// Where numbers end is found as simdjson finds structure (Langdale and Lemire, "Parsing gigabytes
// of JSON per second", 2019): a bit per byte of 64, and the bits taken one by one. The conversion
// multiplies neighbours together: digits to pairs, pairs to fours, fours to eights.
#include "wire_kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <cstring>

#include "x86.h"

namespace runmask {
namespace {

// What the bytes of 64 are, a bit each.
struct Classes {
  uint64_t digits, zeros, commas, spaces;
};

AVX2 inline uint64_t bits_of(__m256i low, __m256i high) {
  return static_cast<uint32_t>(_mm256_movemask_epi8(low)) |
         uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(high))} << 32;
}

AVX2 inline Classes classify(const uint8_t* text) {
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 32));
  const __m256i zero = _mm256_set1_epi8('0');
  const __m256i nine = _mm256_set1_epi8(9);
  const __m256i comma = _mm256_set1_epi8(',');
  // White space at the place of its own low four bits; no byte that looks a zero up equals it.
  const __m256i space = _mm256_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0,
                                         ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0);
  const __m256i low_digit = _mm256_sub_epi8(low, zero);
  const __m256i high_digit = _mm256_sub_epi8(high, zero);
  return {
      bits_of(_mm256_cmpeq_epi8(_mm256_min_epu8(low_digit, nine), low_digit),
              _mm256_cmpeq_epi8(_mm256_min_epu8(high_digit, nine), high_digit)),
      bits_of(_mm256_cmpeq_epi8(low, zero), _mm256_cmpeq_epi8(high, zero)),
      bits_of(_mm256_cmpeq_epi8(low, comma), _mm256_cmpeq_epi8(high, comma)),
      bits_of(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(space, low), low),
              _mm256_cmpeq_epi8(_mm256_shuffle_epi8(space, high), high)),
  };
}

// Writes the positions of bits, `base` added, and up to 7 items of no meaning behind them.
AVX2 inline size_t list_bits(uint64_t bits, size_t base, uint16_t* out) {
  const auto count = static_cast<size_t>(_mm_popcnt_u64(bits));
  for (size_t done = 0; done < count; done += 8) {
    for (size_t i = 0; i < 8; ++i, bits = _blsr_u64(bits)) {
      out[done + i] = static_cast<uint16_t>(base + _tzcnt_u64(bits));
    }
  }
  return count;
}

// The bits of a word and of those before it, moved on by so many places.
inline uint64_t moved(uint64_t word, uint64_t before, int places) {
  return word << places | before >> (64 - places);
}

// Where more than `Digits` bits end that are set one after the other, Digits a power of 2.
template <int Digits>
class LongNumbers {
 public:
  AVX2 uint64_t next(uint64_t digits) {
    const uint64_t before = before_[0];
    uint64_t runs = digits;  // of 1, 2, 4 ... bits
    int step = 0;
    for (int places = 1; places < Digits; places *= 2, ++step) {
      const uint64_t longer = runs & moved(runs, before_[step], places);
      before_[step] = runs;
      runs = longer;
    }
    return runs & moved(digits, before, Digits);
  }

 private:
  uint64_t before_[5] = {};
};

// The positions where numbers of at most `Digits` digits end, up to the first byte that is out of
// order; of the last one only if a further number has begun behind it.
template <int Digits>
AVX2 size_t list_ends(const uint8_t* text, size_t size, uint16_t* ends) {
  LongNumbers<Digits> long_numbers;
  uint64_t digit_before = 0;
  uint64_t zero_before = 0;  // a number's first digit
  uint64_t odd_before = 0;   // all ones behind a number
  size_t count = 0;
  for (size_t at = 0; at < kStretch && at + 64 <= size; at += 64) {
    const Classes is = classify(text + at);
    const uint64_t shifted = is.digits << 1 | digit_before;
    const uint64_t starts = is.digits & ~shifted;
    // Numbers and commas take turns: counted together, numbers are odd and commas even.
    const uint64_t odd = prefix_parity(starts | is.commas) ^ odd_before;
    const uint64_t leading_zeros = starts & is.zeros;
    const uint64_t bad = ~(is.digits | is.commas | is.spaces) | (starts & ~odd) |
                         (is.commas & odd) | ((leading_zeros << 1 | zero_before) & is.digits) |
                         long_numbers.next(is.digits);
    const uint64_t found = shifted & ~is.digits;
    if (bad != 0) {
      const uint64_t last = _blsi_u64(bad);
      count += list_bits(found & (last - 1), at, ends + count);
      digit_before = (shifted & last) != 0;
      break;
    }
    count += list_bits(found, at, ends + count);
    digit_before = is.digits >> 63;
    zero_before = leading_zeros >> 63;
    odd_before = static_cast<uint64_t>(static_cast<int64_t>(odd) >> 63);
  }
  return digit_before == 0 && count > 0 ? count - 1 : count;
}

inline int64_t load8(const uint8_t* text) {
  int64_t bytes;
  std::memcpy(&bytes, text, sizeof bytes);
  return bytes;
}

// Of four times 8 bytes the digits at the end, as two numbers of four digits each.
AVX2 inline __m256i fours_of_digits(int64_t a, int64_t b, int64_t c, int64_t d) {
  const __m256i bytes = _mm256_sub_epi8(_mm256_set_epi64x(d, c, b, a), _mm256_set1_epi8('0'));
  __m256i other = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, _mm256_set1_epi8(10)), bytes);
  other = _mm256_or_si256(other, _mm256_srli_epi64(other, 8));  // and all that stands before it
  other = _mm256_or_si256(other, _mm256_srli_epi64(other, 16));
  other = _mm256_or_si256(other, _mm256_srli_epi64(other, 32));
  const __m256i digits = _mm256_andnot_si256(other, bytes);
  const __m256i pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(1 << 8 | 10));
  return _mm256_madd_epi16(pairs, _mm256_set1_epi32(1 << 16 | 100));
}

// Numbers of at most 8 digits, up to a multiple of 8 of them.
AVX2 void convert(const uint8_t* text, const uint16_t* ends, size_t count, int32_t* out) {
  for (size_t i = 0; i < count; i += 8) {
    const auto last8 = [&](size_t k) { return load8(text + ends[i + k] - 8); };
    // Packing works within each half of the register: this order then comes out sorted.
    const __m256i outer = fours_of_digits(last8(0), last8(1), last8(4), last8(5));
    const __m256i inner = fours_of_digits(last8(2), last8(3), last8(6), last8(7));
    const __m256i fours = _mm256_packus_epi32(outer, inner);
    const __m256i values = _mm256_madd_epi16(fours, _mm256_set1_epi32(1 << 16 | 10000));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), values);
  }
}

// Numbers of at most 16 digits.
AVX2 void convert(const uint8_t* text, const uint16_t* ends, size_t count, int64_t* out) {
  alignas(16) static constexpr uint8_t kMasks[32] = {
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* last16 = text + ends[i] - 16;
    const __m128i bytes =
        _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(last16)), _mm_set1_epi8('0'));
    const __m128i other = _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(10)), bytes);
    const auto others = static_cast<uint32_t>(_mm_movemask_epi8(other));
    const uint32_t length = _lzcnt_u32(others << 16 | 0x8000);
    const __m128i mask = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kMasks + length));
    const __m128i digits = _mm_and_si128(bytes, mask);
    const __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(1 << 8 | 10));
    const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(1 << 16 | 100));
    const __m128i eights =
        _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(1 << 16 | 10000));
    const auto both = static_cast<uint64_t>(_mm_cvtsi128_si64(eights));
    out[i] = static_cast<int64_t>((both & 0xFFFFFFFF) * 100000000 + (both >> 32));
  }
}

template <class Int, int Digits>
AVX2 size_t read_numbers(const uint8_t* text, size_t size, size_t* at, Int* out) {
  uint16_t ends[kStretch / 2 + 32];
  const uint8_t* first = text + *at;
  const size_t count = list_ends<Digits>(first, size - *at, ends);
  if (count == 0) return 0;
  const uint8_t* next = first + ends[count - 1];
  // Converting goes on to a multiple of 8: zeros there keep its loads in the text.
  std::memset(ends + count, 0, 8 * sizeof *ends);
  convert(first, ends, count, out);
  while (next < text + size && static_cast<uint8_t>(*next - '0') > 9) ++next;
  *at = static_cast<size_t>(next - text);
  return count;
}

}  // namespace

const WireKernels avx2_wire_kernels = {read_numbers<int32_t, 8>, read_numbers<int64_t, 16>};

}  // namespace runmask

#endif
