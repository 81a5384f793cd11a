// Rounds of a cohort: clients are selected, and the round waits for them (training.h).
#pragma once
#include "server/coordinator/internal/round_mode.h"

namespace hansa::server {

class SelectedRounds final : public RoundMode {
 public:
  [[nodiscard]] std::unique_ptr<Stage> start(Shared& shared, const std::vector<std::string>& ready,
                                             std::uint32_t attempt, Turn& turn) const override;
};

}  // namespace hansa::server
