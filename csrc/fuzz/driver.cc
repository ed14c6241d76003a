// Runs a fuzz target where there is no libFuzzer: inputs put together from its words and from
// files, then changed at random. Blind to coverage, but the same target under the same sanitizers.
//
//   target [rounds [seed [file...]]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz.h"

namespace {

std::mt19937_64 random_bits;

size_t below(size_t bound) { return random_bits() % bound; }

std::vector<std::string> words() {
  std::vector<std::string> all;
  for (const char* const* word = fuzz_words; *word != nullptr; ++word) all.emplace_back(*word);
  return all;
}

void change(std::string& input, const std::vector<std::string>& all) {
  const size_t at = below(input.size() + 1);
  const size_t few = 1 + below(8);
  switch (below(6)) {
    case 0:
      input.insert(at, all[below(all.size())]);
      break;
    case 1:
      input.erase(at, few);
      break;
    case 2:
      input.insert(at, 1, static_cast<char>(below(256)));
      break;
    case 3:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
      break;
    case 4:
      input.insert(below(input.size() + 1), input.substr(at, few * few));
      break;
    default:
      if (below(8) == 0) input.resize(at);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const size_t rounds = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 100000;
  random_bits.seed(count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1);
  const std::vector<std::string> all = words();
  std::vector<std::string> files;
  for (int i = 3; i < count; ++i) {
    std::ifstream file(arguments[i], std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  for (size_t round = 0; round < rounds; ++round) {
    std::string input;
    if (!files.empty() && below(4) == 0) {
      input = files[below(files.size())];
    } else {
      input = all[0];
      for (size_t i = below(12); i > 0; --i) input += all[below(std::min(all.size(), 1 + 3 * i))];
    }
    for (size_t i = below(10); i > 0; --i) change(input, all);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  }
  std::printf("%zu inputs\n", rounds);
  return EXIT_SUCCESS;
}
