// How rounds are made, once enough clients are there: of a selected cohort (selected_rounds.h), of a buffer of updates
// (buffered_rounds.h), or of groups that share keys (grouped_rounds.h). A federation has one mode.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/coordinator/config.h"
#include "server/coordinator/internal/turn.h"

namespace hansa::server {

class Stage;
struct Shared;

class RoundMode {
 public:
  virtual ~RoundMode() = default;
  // The first phase of the next round, after gathering. ready: the clients that may take part, sorted, at least
  // cohort.clients_min of them. attempt: at this round, from 1.
  [[nodiscard]] virtual std::unique_ptr<Stage> start(Shared& shared, const std::vector<std::string>& ready,
                                                     std::uint32_t attempt, Turn& turn) = 0;
  // The clients of the smallest cohort that is formed.
  [[nodiscard]] virtual std::uint32_t cohort_least(const CohortConfig& config) const {
    return config.clients_min;
  }
};

[[nodiscard]] std::unique_ptr<RoundMode> make_round_mode(const OperatorSettings& settings);

}  // namespace hansa::server
