// Seeded randomness that is the same on every machine and thread count.
//
// Not for secrets: keys and masks come from OpenSSL. std:: distributions differ between
// standard libraries, so the few that are needed stand here.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "common/identifiers.h"

namespace hansa {

// The seed for one purpose, by SHA-256 over all four; never from a thread or a rank.
[[nodiscard]] std::uint64_t derive_seed(std::uint64_t root, std::string_view purpose,
                                        std::uint64_t number = 0, std::string_view name = {});

// xoshiro256** (Blackman, Vigna, 2018), seeded by splitmix64. One thread owns a generator.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound), bound > 0, without modulo bias (Lemire 2019).
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1) with 53 bits.
  [[nodiscard]] double uniform();
  // Standard normal (Marsaglia's polar method).
  [[nodiscard]] double normal();
  // Gamma(shape, 1), shape > 0 (Marsaglia, Tsang 2000).
  [[nodiscard]] double gamma(double shape);
  [[nodiscard]] bool chance(double probability) { return uniform() < probability; }
  // Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace hansa
