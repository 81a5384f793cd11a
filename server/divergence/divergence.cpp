#include "server/divergence/divergence.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace hansa::server {
namespace {

constexpr std::size_t rounds_min = 2;
constexpr double deviations_max = 6;
constexpr double deviation_of_median = 1.4826;  // of a normal distribution, in median absolute deviations

// The lower one of two middle values, so that one jump among two rounds does not hide the next.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::string Divergence::Series::observe(double value, const char* name, double ratio, std::size_t window) {
  if (!std::isfinite(value))
    return fmt::format("the {} is {}", name, std::isnan(value) ? "not a number" : "infinite");
  std::string problem;
  if (values_.size() >= rounds_min) {
    const std::vector<double> known(values_.begin(), values_.end());
    const double middle = median(known);
    std::vector<double> deviations;
    for (const double other : known) deviations.push_back(std::abs(other - middle));
    const double spread = deviation_of_median * median(std::move(deviations));
    if (value > ratio * std::abs(middle) && value > middle + deviations_max * spread)
      problem = middle > 0
                    ? fmt::format("the {} is {:.4g}, {:.3g} times the median of the last {} rounds ({:.4g})",
                                  name, value, value / middle, known.size(), middle)
                    : fmt::format("the {} is {:.4g}, and the median of the last {} rounds is {:.4g}", name,
                                  value, known.size(), middle);
  }
  values_.push_back(value);
  if (values_.size() > window) values_.pop_front();
  return problem;
}

std::vector<std::string> Divergence::observe(const RoundMeasures& measures) {
  std::vector<std::string> out;
  is_certain_ = false;
  if (config_.action == DivergenceAction::off) return out;
  const auto is_wrong = [&](const std::optional<double>& value, Series& series, const char* name,
                            double ratio) {
    if (!value) return false;
    std::string problem = series.observe(*value, name, ratio, config_.window);
    if (problem.empty()) return false;
    out.push_back(std::move(problem));
    return true;
  };
  if (is_wrong(measures.loss, losses_, "training loss", config_.loss_ratio))
    is_certain_ = measures.loss_is_robust;
  // A warning only: of few examples the loss may be near zero, and jump from there.
  (void)is_wrong(measures.held_out_loss, held_out_losses_,
                 "loss of the previous model on the clients' held-out examples", config_.loss_ratio);
  if (is_wrong(measures.update_norm, norms_, "norm of the aggregated update", config_.norm_ratio))
    is_certain_ = true;
  return out;
}

}  // namespace hansa::server
