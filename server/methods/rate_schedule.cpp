#include "server/methods/rate_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hansa::server {
namespace {

constexpr double fraction_min = 1e-6;

double cosine(const RateSchedule& schedule, double t) {
  const double length = static_cast<double>(schedule.rounds) - static_cast<double>(schedule.warm_up);
  const double at = length > 1 ? std::min((t - 1) / (length - 1), 1.0) : 0;
  return schedule.lowest + (1 - schedule.lowest) * (1 + std::cos(std::numbers::pi * at)) / 2;
}

}  // namespace

double rate_fraction(const RateSchedule& schedule, RoundId round) {
  const auto number = static_cast<double>(round.value);
  if (round.value <= schedule.warm_up) return number / (static_cast<double>(schedule.warm_up) + 1);
  const double t = number - static_cast<double>(schedule.warm_up);
  double out = 1;
  if (schedule.name == "step") out = std::pow(schedule.factor, std::floor((t - 1) / schedule.every));
  if (schedule.name == "cosine") out = cosine(schedule, t);
  if (schedule.name == "inverse_sqrt") out = 1 / std::sqrt(t);
  return std::max(out, fraction_min);
}

}  // namespace hansa::server
