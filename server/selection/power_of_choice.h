// Power-of-choice: Cho, Wang, Joshi, "Client Selection in Federated Learning: Convergence Analysis and Power-of-Choice
// Selection Strategies" (2020), section 3. Candidates are drawn by their examples, and those with the highest loss are
// selected. As in the variant "rpow-d", the loss is the last one that a client reported; a client that has not reported
// one is taken first.
#pragma once
#include "server/selection/cohort_policy.h"

namespace hansa::server {

class PowerOfChoice final : public CohortPolicy {
 public:
  // candidates: d, for each place in the cohort; at least 1.
  explicit PowerOfChoice(double candidates) : candidates_(candidates) {}
  [[nodiscard]] std::vector<std::size_t> select(std::span<const Candidate> candidates, std::size_t size,
                                                RoundId round, std::uint64_t seed) const override;

 private:
  double candidates_;
};

}  // namespace hansa::server
