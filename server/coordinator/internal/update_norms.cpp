#include "server/coordinator/internal/update_norms.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "server/coordinator/internal/plain_checks.h"
#include "server/coordinator/internal/round_method.h"

namespace hansa::server {
namespace {

// A number of steps that the training had at least. The last batch of an epoch may be joined with the one before it.
double steps_at_least(const TrainingConfig& training, std::uint64_t examples) {
  const std::uint64_t batches = std::max<std::uint64_t>(examples / training.batch_size, 1);
  const std::uint64_t most =
      training.steps_max == 0 ? std::numeric_limits<std::uint64_t>::max() : training.steps_max;
  return static_cast<double>(std::min(batches * training.epochs, most));
}

std::vector<double> norms_of(std::span<const UpdateSize> updates, std::size_t vector) {
  std::vector<double> out;
  for (const UpdateSize& update : updates) out.push_back(update.norms[vector]);
  return out;
}

// The updates whose change of the control variate no honest training can have.
std::vector<std::size_t> unlike_changes(std::span<const UpdateSize> updates, const Method& method,
                                        double ratio_max) {
  const TrainingConfig training = training_config(*find_method(built_in_methods(), method.name), method);
  std::vector<double> changes, gradients, sums;  // |change|, d, and both
  for (const UpdateSize& update : updates) {
    // A client sends its change divided by its examples: learning/methods/scaffold.cpp.
    changes.push_back(update.norms[1] * static_cast<double>(update.examples) / output_scale_of(method));
    gradients.push_back(update.norms[0] /
                        (steps_at_least(training, update.examples) * training.learning_rate));
    sums.push_back(changes.back() + gradients.back());
  }
  constexpr double room = 2;
  const double common = norm_limit(sums, 1), gradient_max = norm_limit(gradients, ratio_max);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < updates.size(); ++i)
    if (changes[i] > room * (common + std::min(gradients[i], gradient_max))) out.push_back(i);
  return out;
}

}  // namespace

std::vector<UnlikeUpdate> unlike_updates(std::span<const UpdateSize> updates, const Method& method,
                                         std::span<const std::string_view> outputs, double ratio_max) {
  std::vector<UnlikeUpdate> out;
  const auto add = [&](std::span<const std::size_t> indices, std::string_view vector) {
    for (const std::size_t index : indices)
      if (std::ranges::find(out, index, &UnlikeUpdate::index) == out.end()) out.push_back({index, vector});
  };
  add(outliers(norms_of(updates, 0), ratio_max), delta_output);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    add(method.name == "scaffold" ? unlike_changes(updates, method, ratio_max)
                                  : outliers(norms_of(updates, 1 + i), ratio_max),
        outputs[i]);
  std::ranges::sort(out, {}, &UnlikeUpdate::index);
  return out;
}

}  // namespace hansa::server
