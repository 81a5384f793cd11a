#include "server/coordinator/internal/round_mode.h"

#include "server/coordinator/internal/buffered_rounds.h"
#include "server/coordinator/internal/grouped_rounds.h"
#include "server/coordinator/internal/selected_rounds.h"

namespace hansa::server {

std::unique_ptr<RoundMode> make_round_mode(const OperatorSettings& settings) {
  switch (settings.cohort.mode) {
    case CohortMode::synchronous: return std::make_unique<SelectedRounds>();
    case CohortMode::buffered:
      if (settings.secure_sums) return std::make_unique<GroupedRounds>();
      return std::make_unique<BufferedRounds>();
  }
  return nullptr;
}

}  // namespace hansa::server
