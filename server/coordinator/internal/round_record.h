// The record of a round that is about to be committed: what became of each member of its cohort.
#pragma once
#include "common/time.h"
#include "server/coordinator/internal/active_round.h"
#include "server/coordinator/internal/stage.h"
#include "server/store/store.h"

namespace hansa::server {

// round: sealed, and its uploads not dropped yet. Times of day, byte counts and the model are the shell's to fill in.
[[nodiscard]] RoundRecord make_record(const ActiveRound& round, const Shared& shared, Instant now);

}  // namespace hansa::server
