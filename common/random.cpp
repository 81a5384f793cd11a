#include "common/random.h"

#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <string>

#include "common/digest.h"
#include "common/splitmix64.h"

namespace hansa {

std::uint64_t derive_seed(std::uint64_t root, std::string_view purpose, std::uint64_t number,
                          std::string_view name) {
  std::string input = "hansa seed v1";
  const auto add_number = [&](std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) input.push_back(static_cast<char>(value >> shift & 0xff));
  };
  add_number(root);
  add_number(purpose.size());
  input += purpose;
  add_number(number);
  add_number(name.size());
  input += name;
  const Digest digest = sha256(std::string_view(input));
  std::uint64_t out = 0;
  std::memcpy(&out, digest.bytes.data(), sizeof out);
  return out;
}

Random::Random(std::uint64_t seed) {
  for (std::size_t i = 0; i < state_.size(); ++i) state_[i] = splitmix64(seed, i);
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
  assert(bound > 0);
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(next()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<Wide>(next()) * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Random::normal() {
  for (;;) {
    const double u = 2.0 * uniform() - 1.0;
    const double v = 2.0 * uniform() - 1.0;
    const double s = u * u + v * v;
    if (s > 0.0 && s < 1.0) return u * std::sqrt(-2.0 * std::log(s) / s);
  }
}

double Random::gamma(double shape) {
  assert(shape > 0);
  if (shape < 1.0) return gamma(shape + 1.0) * std::pow(1.0 - uniform(), 1.0 / shape);
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double v = std::pow(1.0 + c * x, 3.0);
    if (v <= 0.0) continue;
    const double u = 1.0 - uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace hansa
