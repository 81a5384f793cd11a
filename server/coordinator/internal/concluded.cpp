#include "server/coordinator/internal/concluded.h"

#include <utility>

#include "server/coordinator/internal/downloads.h"

namespace hansa::server {

Concluded::Concluded(Shared& shared, Finish finish, Turn& turn)
    : Stage(shared, turn.now), why_(finish.why), moved_at_(turn.now) {
  shared.sessions.for_each([&](const std::string& client, const Session&) { dismiss(client, turn); });
  shared.uploads.drop_all(turn);
  turn.effects.emplace_back(std::move(finish));
}

Reply Concluded::on_pull(const std::string& client, const messages::Pull& pull, Turn& turn) {
  if (why_ != Finish::Why::all_rounds || pull.blob != shared_.standing.model)
    return Stage::on_pull(client, pull, turn);
  const std::uint64_t bytes = shared_.config.model.elements * sizeof(float);
  const std::uint32_t chunk = shared_.config.process.chunk_bytes;
  // A client that pulls the same bytes again and again is not waited for.
  std::uint64_t& pulled = pulled_[client];
  pulled += pulled_range(pull, bytes, chunk);
  if (pulled <= 2 * bytes) moved_at_ = turn.now;
  return send_range(pull, bytes, chunk, *shared_.sessions.find(client), turn);
}

// At most as long as a round waits for its clients, which fetch a model in that time too.
bool Concluded::is_awaiting_clients(Instant now) const {
  return why_ == Finish::Why::all_rounds && shared_.sessions.open() > 0 && now - moved_at_ < stall &&
         now - began_ < shared_.config.settings.cohort.deadline;
}

// Finished dismisses a client for good, so it is sent only if all rounds are done.
void Concluded::dismiss(const std::string& client, Turn& turn) const {
  if (why_ == Finish::Why::all_rounds)
    turn.send(client, messages::Finished{shared_.standing.last_committed, shared_.standing.model});
  else turn.send(client, messages::Bye{"the aggregator stops"});
}

}  // namespace hansa::server
