// How rounds are made, once enough clients are there: of a selected cohort (selected_rounds.h), or of a buffer of updates
// (buffered_rounds.h). A federation has one mode.
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
};

[[nodiscard]] std::unique_ptr<RoundMode> make_round_mode(const CohortConfig& config);

}  // namespace hansa::server
