// Seeded randomness that does not depend on the machine or on the number of threads.
//
// Not for secrets: keys and masks come from OpenSSL. The distributions of std:: differ between standard libraries, so
// those that are needed are implemented here.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "common/identifiers.h"

namespace hansa {

// The seed for one purpose: a SHA-256 over all four arguments.
[[nodiscard]] std::uint64_t derive_seed(std::uint64_t root, std::string_view purpose,
                                        std::uint64_t number = 0, std::string_view name = {});

// xoshiro256** (Blackman, Vigna, 2018), seeded by splitmix64. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound), bound > 0, without modulo bias (Lemire 2019).
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1), a multiple of 2^-53.
  [[nodiscard]] double uniform();
  // Standard normal (Marsaglia's polar method).
  [[nodiscard]] double normal();
  // Gamma(shape, 1), shape > 0 (Marsaglia, Tsang 2000).
  [[nodiscard]] double gamma(double shape);
  [[nodiscard]] bool chance(double probability) { return uniform() < probability; }
  // Fisher-Yates shuffle.
  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace hansa
