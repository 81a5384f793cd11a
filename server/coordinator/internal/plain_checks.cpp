#include "server/coordinator/internal/plain_checks.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>

namespace hansa::server {

std::uint64_t trained_most(const Method& method) {
  const TrainingConfig training = training_config({}, method);
  if (training.steps_max == 0) return std::numeric_limits<std::uint64_t>::max();
  return std::uint64_t{training.steps_max} * training.batch_size;
}

std::uint64_t weight_limit(std::uint64_t reported, const Method& method, std::uint64_t examples_max) {
  constexpr std::uint64_t room = 4, arriving = 1'024;  // as for the total of a secure sum
  const std::uint64_t possible = std::min({reported, trained_most(method), examples_max});
  return std::min(room * possible + arriving, examples_max);
}

Result<void> check_examples(const OperatorSettings& settings, std::uint64_t reported,
                            std::uint64_t examples) {
  const std::uint64_t most = settings.limits.examples_max;
  if (examples == 0 || examples > most)
    return fail(ErrorCode::protocol, "",
                "it counts " + std::to_string(examples) + " examples; limits.examples_max allows 1 to " +
                    std::to_string(most));
  if (const auto limit = weight_limit(reported, settings.method, most); examples > limit)
    return fail(ErrorCode::protocol, "",
                "it counts " + std::to_string(examples) + " examples, and has reported " +
                    std::to_string(reported) + ": at most " + std::to_string(limit) + " are plausible");
  return {};
}

UpdateSizes plain_update_sizes(const CoordinatorConfig& config) {
  const auto& uplink = config.compression.uplink;
  return uplink ? encoded_update_sizes(*uplink) : float32_update_sizes(config.update_elements());
}

double norm_limit(std::span<const double> norms, double ratio_max) {
  std::vector<double> sorted;
  std::ranges::copy_if(norms, std::back_inserter(sorted), [](double norm) { return norm > 0; });
  if (sorted.size() < 3) return std::numeric_limits<double>::infinity();
  std::ranges::sort(sorted);
  return ratio_max * sorted[(sorted.size() - 1) / 2];
}

std::vector<std::size_t> outliers(std::span<const double> norms, double ratio_max) {
  const double most = norm_limit(norms, ratio_max);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < norms.size(); ++i)
    if (norms[i] > most) out.push_back(i);
  return out;
}

}  // namespace hansa::server
