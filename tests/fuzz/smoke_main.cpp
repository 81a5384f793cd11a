// Runs a fuzzer without libFuzzer: each line of a corpus file ("name = hex"), then seeded mutations of it.
//   FUZZER_smoke CORPUS MUTATIONS [FIRST_SEED]
// An abort or a crash is a finding. It prints its seed, and "CORPUS 1 SEED" replays it.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "common/random.h"
#include "tests/fuzz/message_fuzzer.h"
#include "tests/protocols/samples.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

volatile std::sig_atomic_t seed_at_work = -1;  // for the signal handler; -1: the corpus itself

void name_seed(int signal) {
  // fprintf is not safe in a signal handler, but the process ends here in any case.
  std::fprintf(stderr, "failed at seed %d (-1: the corpus)\n", static_cast<int>(seed_at_work));
  std::_Exit(128 + signal);
}

std::vector<Bytes> read_corpus(const char* path) {
  std::vector<Bytes> out;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    const auto equals = line.find(" = ");
    if (line.starts_with('#') || equals == std::string::npos) continue;
    Bytes bytes;
    for (const std::byte byte : hansa::messages::testing::from_hex(line.substr(equals + 3)))
      bytes.push_back(std::to_integer<std::uint8_t>(byte));
    out.push_back(std::move(bytes));
  }
  return out;
}

void mutate(hansa::Random& random, Bytes& bytes) {
  const std::size_t at = bytes.empty() ? 0 : random.below(bytes.size());
  switch (random.below(6)) {
    case 0: bytes.resize(at); break;
    case 1:
      bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(random.next()));
      break;
    case 2:
      if (!bytes.empty()) bytes[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
      break;
    case 3:
      if (!bytes.empty()) bytes[at] = random.chance(0.5) ? 0xff : 0x00;
      break;
    case 4:
      // Another type.
      if (bytes.size() > 3) bytes[3] = static_cast<std::uint8_t>(random.below(hansa::messages::types_count));
      break;
    default:
      if (!bytes.empty()) bytes[at] = static_cast<std::uint8_t>(random.next());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: FUZZER_smoke CORPUS MUTATIONS [FIRST_SEED]\n");
    return 2;
  }
  const auto corpus = read_corpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: holds no line \"name = hex\"\n", argv[1]);
    return 2;
  }
  const std::uint64_t mutations = std::strtoull(argv[2], nullptr, 10);
  const std::uint64_t first = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  std::signal(SIGABRT, name_seed);
  std::signal(SIGSEGV, name_seed);
  for (const auto& bytes : corpus) LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  for (std::uint64_t seed = first; seed < first + mutations; ++seed) {
    hansa::Random random(seed);
    Bytes bytes = corpus[random.below(corpus.size())];
    for (std::uint64_t i = 0; i <= random.below(4); ++i) mutate(random, bytes);
    seed_at_work = static_cast<std::sig_atomic_t>(seed);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  return 0;
}
