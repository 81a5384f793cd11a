// Learning rates of the clients over the rounds. Each depends on the round's number alone, so that a restart changes nothing.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/identifiers.h"

namespace hansa::server {

inline constexpr std::array<std::string_view, 4> rate_schedule_names{"constant", "step", "cosine",
                                                                     "inverse_sqrt"};

struct RateSchedule {
  std::string name = "constant";  // one of rate_schedule_names
  std::uint32_t warm_up = 0;  // rounds over which the rate grows linearly to its full value
  std::uint32_t every = 10;  // of step: rounds between two reductions, at least 1
  double factor = 0.5;  // of step: above 0, at most 1
  double lowest = 0;  // of cosine: the rate of its last round, as a fraction of the full one: 0 to 1
  std::uint32_t rounds = 0;  // of cosine: the number of its last round
  friend bool operator==(const RateSchedule&, const RateSchedule&) = default;
};

// The fraction of the full learning rate in a round, 1 or more; above 0 and at most 1. With t = 1, 2, ... after the warm-up:
//   step          factor ^ floor((t - 1) / every)
//   cosine        lowest + (1 - lowest) (1 + cos(pi (t - 1) / (T - 1))) / 2, where T is its last round (Loshchilov and Hutter
//                 2017, equation 5); after T, the value at T. A lowest of 0 gives 1e-6 at T, because a rate is above 0.
//   inverse_sqrt  1 / sqrt(t)
[[nodiscard]] double rate_fraction(const RateSchedule& schedule, RoundId round);

}  // namespace hansa::server
