#include "server/coordinator/internal/concluded.h"

#include <utility>

namespace hansa::server {

Concluded::Concluded(Shared& shared, Finish finish, Turn& turn) : Stage(shared, turn.now), why_(finish.why) {
  shared.sessions.for_each([&](const std::string& client, const Session&) { dismiss(client, turn); });
  shared.uploads.drop_all(turn);
  turn.effects.emplace_back(std::move(finish));
}

// Finished dismisses a client for good, so it is sent only if all rounds are done.
void Concluded::dismiss(const std::string& client, Turn& turn) const {
  if (why_ == Finish::Why::all_rounds)
    turn.send(client, messages::Finished{shared_.standing.last_committed, shared_.standing.model});
  else turn.send(client, messages::Bye{"the aggregator stops"});
}

}  // namespace hansa::server
