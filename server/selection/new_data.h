// The clients with the most new examples: those on which no counted update was trained. Of equal numbers any may be
// selected.
#pragma once
#include "server/selection/cohort_policy.h"

namespace hansa::server {

class NewDataSelection final : public CohortPolicy {
 public:
  [[nodiscard]] std::vector<std::size_t> select(std::span<const Candidate> candidates, std::size_t size,
                                                RoundId round, std::uint64_t seed) const override;
};

}  // namespace hansa::server
