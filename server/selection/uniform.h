// Every cohort of the wanted size is equally likely (McMahan et al. 2017, algorithm 1: a random set of clients).
#pragma once
#include "server/selection/cohort_policy.h"

namespace hansa::server {

class UniformSelection final : public CohortPolicy {
 public:
  [[nodiscard]] std::vector<std::size_t> select(std::span<const Candidate> candidates, std::size_t size,
                                                RoundId round, std::uint64_t seed) const override;
};

}  // namespace hansa::server
