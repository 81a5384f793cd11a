// Buffered aggregation with secure aggregation: K clients that are ready share keys and train the newest model as a group,
// several groups at the same time, and the sum of each group makes a model (grouped_stage.h).
#pragma once
#include "server/coordinator/internal/round_mode.h"

namespace hansa::server {

class GroupedRounds final : public RoundMode {
 public:
  [[nodiscard]] std::unique_ptr<Stage> start(Shared& shared, const std::vector<std::string>& ready,
                                             std::uint32_t attempt, Turn& turn) override;
  [[nodiscard]] std::uint32_t cohort_least(const CohortConfig& config) const override {
    return config.buffered.updates;
  }
};

}  // namespace hansa::server
