// The n-th output of splitmix64, counted from 0 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014). For expanding a seed, not for secrets.
#pragma once
#include <cstdint>

namespace hansa {

[[nodiscard]] constexpr std::uint64_t splitmix64(std::uint64_t seed, std::uint64_t n) noexcept {
  std::uint64_t z = seed + (n + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
  return z ^ z >> 31;
}

}  // namespace hansa
