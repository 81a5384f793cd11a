#include "learning/internal/accumulated_steps.h"

#include <cmath>

namespace hansa::learning {

double accumulated_steps(std::uint64_t steps, const TrainingConfig& config) {
  const auto tau = static_cast<double>(steps);
  const double rho = config.momentum;
  if (rho == 0) return tau;
  const double first = config.nesterov ? rho * rho : rho;
  return (tau - first * (1 - std::pow(rho, tau)) / (1 - rho)) / (1 - rho);
}

}  // namespace hansa::learning
