// Splitting work over threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace runmask {

// Calls work(first, last) on consecutive parts of [0, size), at once on up to `threads` threads.
// Parts smaller than `least` are not worth a thread. A thread that cannot be had is done without.
template <class Work>
void in_parallel(size_t size, int threads, size_t least, const Work& work) {
  const size_t wanted = static_cast<size_t>(std::max(threads, 1));
  const size_t parts = std::clamp<size_t>(size / std::max<size_t>(least, 1), 1, wanted);
  const auto bound = [=](size_t part) {
    return size / parts * part + std::min(part, size % parts);
  };
  std::vector<std::thread> others;
  size_t started = 1;
  try {
    others.reserve(parts - 1);
    for (; started < parts; ++started) {
      others.emplace_back(std::cref(work), bound(started), bound(started + 1));
    }
  } catch (const std::exception&) {  // no threads or no memory for them
  }
  work(bound(0), bound(1));
  if (started < parts) work(bound(started), size);
  for (std::thread& other : others) other.join();
}

}  // namespace runmask
