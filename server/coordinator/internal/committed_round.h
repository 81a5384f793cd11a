// What a commit means for the aggregator, and for the clients of the cohort whose sum was committed.
#pragma once
#include "server/coordinator/events.h"
#include "server/coordinator/internal/active_round.h"
#include "server/coordinator/internal/stage.h"
#include "server/store/store.h"

namespace hansa::server {

// From now on the new model is the newest one.
void adopt(Shared& shared, const RoundCommitted& committed);

// The updates of the round's counted clients are in the new model. Sends the receipts of masked updates, which count only now.
// record: as it was sent to the shell.
void settle_committed(Shared& shared, const ActiveRound& round, messages::Verdict receipt,
                      const RoundRecord& record, Turn& turn);

}  // namespace hansa::server
