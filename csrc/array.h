// A growable array for results whose size is not known beforehand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <type_traits>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace runmask {

// Fresh memory costs more in page faults than in writing it; large pages make them few.
inline void advise_huge_pages([[maybe_unused]] void* data, [[maybe_unused]] size_t size) {
#if defined(__linux__)
  constexpr uintptr_t kHuge = uintptr_t{1} << 21;
  const uintptr_t first = (reinterpret_cast<uintptr_t>(data) + kHuge - 1) / kHuge * kHuge;
  const uintptr_t last = (reinterpret_cast<uintptr_t>(data) + size) / kHuge * kHuge;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

// Unlike std::vector it never writes items that nobody asked for, reports a failed allocation
// instead of throwing, and can hand its memory over: release() gives a pointer for std::free.
template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  ~Array() { std::free(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  const T* begin() const { return data_; }
  T* end() { return data_ + size_; }
  const T* end() const { return data_ + size_; }

  // Makes room for `extra` more items, and for `expected` at the next growth; false if there is no
  // memory. Memory that is never written costs address space alone, so a guess may be generous.
  [[nodiscard]] bool reserve_more(size_t extra, size_t expected = 0) {
    if (extra <= capacity_ - size_) return true;
    return allocate(std::max({size_ + extra, capacity_ + capacity_ / 2, expected}));
  }

  // Within the reserved capacity.
  void append(T item) { data_[size_++] = item; }
  void set_size(size_t size) { size_ = size; }

  void swap(Array& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  // The items, cut to their exact size; the caller frees them. Null when empty.
  T* release() {
    if (size_ == 0) {
      std::free(std::exchange(data_, nullptr));
    } else if (size_ < capacity_) {
      allocate(size_);  // a failed shrink leaves the larger block, which is as good
    }
    size_ = capacity_ = 0;
    return std::exchange(data_, nullptr);
  }

 private:
  bool allocate(size_t capacity) {
    if (capacity > SIZE_MAX / sizeof(T)) return false;
    // For large blocks realloc moves pages instead of bytes.
    void* grown = std::realloc(data_, capacity * sizeof(T));
    if (grown == nullptr) return false;
    data_ = static_cast<T*>(grown);
    capacity_ = capacity;
    advise_huge_pages(data_, capacity * sizeof(T));
    return true;
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace runmask
