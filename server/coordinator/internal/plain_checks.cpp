#include "server/coordinator/internal/plain_checks.h"

#include <algorithm>
#include <iterator>
#include <limits>

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

std::vector<std::size_t> outliers(std::span<const double> norms, double ratio_max) {
  std::vector<double> sorted;
  std::ranges::copy_if(norms, std::back_inserter(sorted), [](double norm) { return norm > 0; });
  if (sorted.size() < 3) return {};
  std::ranges::sort(sorted);
  const double most = ratio_max * sorted[(sorted.size() - 1) / 2];
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < norms.size(); ++i)
    if (norms[i] > most) out.push_back(i);
  return out;
}

}  // namespace hansa::server
