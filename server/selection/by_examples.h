// A client is selected with a probability in proportion to its examples, without replacement: scheme I of Li et al., "On the
// Convergence of FedAvg on Non-IID Data" (ICLR 2020), section 3.3, which draws with replacement.
#pragma once
#include "server/selection/cohort_policy.h"

namespace hansa::server {

class SelectionByExamples final : public CohortPolicy {
 public:
  [[nodiscard]] std::vector<std::size_t> select(std::span<const Candidate> candidates, std::size_t size,
                                                RoundId round, std::uint64_t seed) const override;
};

}  // namespace hansa::server
