// The record of a round that is about to be committed: what became of each member of its cohort.
#pragma once
#include "common/time.h"
#include "server/coordinator/internal/active_round.h"
#include "server/coordinator/internal/stage.h"
#include "server/store/store.h"

namespace hansa::server {

// The round is sealed, and its uploads have not been dropped yet. The shell fills in times of day, byte counts and the
// model.
[[nodiscard]] RoundRecord make_record(const ActiveRound& round, const Shared& shared, Instant now);

// A client can call a metric what it likes. Of the model's own metrics only those that its manifest names are recorded.
void drop_unsigned_metrics(const CoordinatorConfig& config, Metrics& metrics);

}  // namespace hansa::server
