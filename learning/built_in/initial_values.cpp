#include "learning/built_in/initial_values.h"

#include <algorithm>
#include <cmath>

namespace hansa::learning::built_in {
namespace {

// True with probability exp(-x * factor), for x and factor in [0, 1]: the length of a falling sequence of uniform
// numbers that begins below x is even (von Neumann 1951), if each step is also taken with probability `factor`.
bool exponential_chance(double x, double factor, Random& random) {
  for (bool even = true;; even = !even) {
    const double next = random.uniform();
    if (next >= x || random.uniform() >= factor) return even;
    x = next;
  }
}

// Standard normal: algorithm N of Karney, "Sampling exactly from the normal distribution" (ACM TOMS 2016), with uniform
// numbers of 53 bits.
double draw_normal(Random& random) {
  constexpr double half = 0.5;
  for (;;) {
    // N1: k with probability exp(-k/2) (1 - exp(-1/2)).
    std::int64_t k = 0;
    while (exponential_chance(half, 1, random)) ++k;
    // N2: accept with probability exp(-k (k - 1) / 2).
    bool accepted = true;
    for (std::int64_t i = 0; accepted && i < k * (k - 1); ++i) accepted = exponential_chance(half, 1, random);
    if (!accepted) continue;
    // N3 and N4: accept x with probability exp(-x (2k + x) / 2), in k + 1 trials.
    const double x = random.uniform();
    const auto whole = static_cast<double>(k);
    const double factor = (2 * whole + x) / (2 * whole + 2);
    for (std::int64_t i = 0; accepted && i <= k; ++i) accepted = exponential_chance(x, factor, random);
    if (!accepted) continue;
    return random.uniform() < half ? -(whole + x) : whole + x;
  }
}

}  // namespace

Initial kaiming_normal(std::int64_t fan) { return normal(std::sqrt(2 / static_cast<double>(fan))); }

void draw(const Initial& initial, std::span<float> values, Random& random) {
  switch (initial.distribution) {
    case Distribution::constant: std::ranges::fill(values, static_cast<float>(initial.scale)); break;
    case Distribution::uniform:
      for (float& value : values) value = static_cast<float>((2 * random.uniform() - 1) * initial.scale);
      break;
    case Distribution::normal:
      for (float& value : values) value = static_cast<float>(draw_normal(random) * initial.scale);
      break;
  }
}

}  // namespace hansa::learning::built_in
