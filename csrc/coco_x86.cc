// The x86-64 kernels for COCO strings.
#include "coco_kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <cstring>

#include "x86.h"

namespace runmask {
namespace {

// Which of 64 bytes end a number, a bit each; false if one is no character of a COCO string.
AVX2 inline bool find_ends(const char* text, uint64_t& ends) {
  const __m256i first = _mm256_set1_epi8(static_cast<char>(kCocoFirst));
  const __m256i most = _mm256_set1_epi8(kCocoMore | kCocoData);
  uint32_t more[2];
  bool good = true;
  for (size_t half = 0; half < 2; ++half) {
    const __m256i bytes = _mm256_sub_epi8(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 32 * half)), first);
    const __m256i fits = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, most), bytes);
    good &= _mm256_movemask_epi8(fits) == -1;
    more[half] = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_slli_epi16(bytes, 2)));
  }
  ends = ~(more[0] | uint64_t{more[1]} << 32);
  return good;
}

// The number of 1 to 8 groups at `text`, of which 8 bytes can be read.
AVX2 inline int64_t number_at(const char* text, size_t groups) {
  uint64_t bits;
  std::memcpy(&bits, text, sizeof bits);
  bits -= kCocoFirst * 0x0101010101010101u;  // borrows reach only what is shifted out
  bits <<= 64 - 8 * groups;
  bits = (bits & 0x001F001F001F001F) | (bits >> 3 & 0x03E003E003E003E0);
  bits = (bits & 0x000003FF000003FF) | (bits >> 6 & 0x000FFC00000FFC00);
  bits = bits >> 32 << 44 | (bits & 0xFFFFF) << 24;
  return static_cast<int64_t>(bits) >> (64 - 5 * groups);
}

// Numbers of a text, one after the other.
struct Reader {
  const char* text;
  size_t start;  // of the next number
  size_t count;
  int64_t* numbers;

  // Those that end where 64 bytes from `base` on have bits set; false before one that is too long.
  AVX2 bool take(size_t base, uint64_t ends) {
    for (; ends != 0; ends = _blsr_u64(ends)) {
      const size_t next = base + _tzcnt_u64(ends) + 1;
      if (next - start > 8) return false;
      numbers[count++] = number_at(text + start, next - start);
      start = next;
    }
    return true;
  }
};

// The last bytes, from a copy with as many behind as are looked at.
AVX2 void read_end(Reader& reader, size_t left) {
  char copy[2 * 64 + 8];
  std::memset(copy, kCocoFirst, sizeof copy);
  std::memcpy(copy, reader.text + reader.start, left);
  Reader rest = {copy, 0, reader.count, reader.numbers};
  for (size_t base = 0; base < left; base += 64) {
    uint64_t ends;
    if (!find_ends(copy + base, ends)) break;
    if (left - base < 64) ends &= (uint64_t{1} << (left - base)) - 1;
    if (!rest.take(base, ends)) break;
  }
  reader.start += rest.start;
  reader.count = rest.count;
}

// Where numbers end is found for 64 bytes at once, so that no load waits for the number before.
AVX2 size_t read_numbers(const char* text, size_t size, size_t* at, int64_t* numbers) {
  Reader reader = {text, *at, 0, numbers};
  bool good = true;
  size_t base = *at;
  for (; size - base >= 64 + 8 && reader.count + 64 <= kCocoNumbers; base += 64) {
    uint64_t ends;
    good = find_ends(text + base, ends) && reader.take(base, ends);
    if (!good) break;
  }
  const size_t left = size - reader.start;
  if (good && left <= 2 * 64 && reader.count + left <= kCocoNumbers) read_end(reader, left);
  *at = reader.start;
  return reader.count;
}

// ---- AVX-512 ----

// Moves the high half of each field of bits away from the low half.
AVX512 inline __m512i split(__m512i x, unsigned shift, uint64_t low, uint64_t high) {
  const __m512i stays = _mm512_set1_epi64(static_cast<int64_t>(low));
  const __m512i moves = _mm512_set1_epi64(static_cast<int64_t>(high));
  return _mm512_or_si512(_mm512_and_si512(x, stays),
                         _mm512_and_si512(_mm512_slli_epi64(x, shift), moves));
}

// The lowest 40 bits of each number as 8 groups of 5 bits, a byte each.
AVX512 inline __m512i groups_of(__m512i numbers) {
  const __m512i twenties = split(numbers, 12, 0xFFFFF, 0x000FFFFF00000000);
  const __m512i tens = split(twenties, 6, 0x000003FF000003FF, 0x03FF000003FF0000);
  return split(tens, 3, 0x001F001F001F001F, 0x1F001F001F001F00);
}

// The groups of eight numbers, a mask of those that are needed, and these packed.
AVX512 inline char* write_eight(__m512i numbers, uint64_t wanted, char* to) {
  const __m512i magnitude = _mm512_xor_si512(numbers, _mm512_srai_epi64(numbers, 63));
  const __m512i with_sign = groups_of(_mm512_slli_epi64(magnitude, 1));
  uint64_t needed = _mm512_test_epi8_mask(with_sign, with_sign);
  needed |= needed >> 1 & 0x7F7F7F7F7F7F7F7F;  // and all below in each number
  needed |= needed >> 2 & 0x3F3F3F3F3F3F3F3F;
  needed |= needed >> 4 & 0x0F0F0F0F0F0F0F0F;
  needed |= 0x0101010101010101;
  const uint64_t followed = needed >> 1 & 0x7F7F7F7F7F7F7F7F;
  __m512i text = _mm512_add_epi8(groups_of(numbers), _mm512_set1_epi8(kCocoFirst));
  text = _mm512_mask_add_epi8(text, followed, text, _mm512_set1_epi8(kCocoMore));
  needed &= wanted;
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi8(needed, text));
  return to + _mm_popcnt_u64(needed);
}

AVX512 char* write_numbers(const int32_t* numbers, size_t count, char* to) {
  for (; count >= 16; count -= 16, numbers += 16) {
    const __m512i here = _mm512_loadu_si512(numbers);
    const __m512i shifted = _mm512_add_epi32(here, _mm512_set1_epi32(kCocoSign));
    if (_mm512_cmpge_epu32_mask(shifted, _mm512_set1_epi32(kCocoMore)) == 0) {
      const __m512i group = _mm512_and_si512(here, _mm512_set1_epi32(kCocoData));
      const __m512i text = _mm512_add_epi32(group, _mm512_set1_epi32(kCocoFirst));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(text));
      to += 16;
      continue;
    }
    const __m256i high = _mm512_extracti64x4_epi64(here, 1);
    to = write_eight(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(here)), ~uint64_t{0}, to);
    to = write_eight(_mm512_cvtepi32_epi64(high), ~uint64_t{0}, to);
  }
  for (size_t i = 0; i < count; i += 8) {
    const size_t left = count - i < 8 ? count - i : 8;
    const auto lanes = static_cast<__mmask8>((1u << left) - 1);
    const __m256i here = _mm256_maskz_loadu_epi32(lanes, numbers + i);
    to = write_eight(_mm512_cvtepi32_epi64(here), ~uint64_t{0} >> (64 - 8 * left), to);
  }
  return to;
}

}  // namespace

const CocoKernels avx2_coco_kernels = {write_coco_numbers<int32_t>, read_numbers};
const CocoKernels avx512_coco_kernels = {write_numbers, read_numbers};

}  // namespace runmask

#endif
