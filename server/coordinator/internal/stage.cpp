#include "server/coordinator/internal/stage.h"

#include "server/coordinator/internal/concluded.h"
#include "server/coordinator/internal/downloads.h"

namespace hansa::server {

std::vector<std::string> Shared::eligible(Instant now) const {
  std::vector<std::string> out;
  for (const auto& [name, client] : clients.all())
    if (client.examples > 0 && sessions.connected(name) && !removed.contains(name) &&
        exchanges->what_lacks(client).empty() && set_aside.find(name, now) == nullptr)
      out.push_back(name);
  return out;  // sorted, because the map is
}

Reply Stage::on_pull(const std::string& client, const messages::Pull& pull, Turn& turn) {
  const ModelFacts& model = shared_.config.model;
  if (pull.blob == model.archive)
    return send_range(pull, model.archive_bytes, shared_.config.process.chunk_bytes,
                      *shared_.sessions.find(client), turn);
  // A blob of a closed round: the client has not learnt yet that the round is closed.
  turn.send(client, messages::Missing{pull.blob});
  return Verdict::discarded;
}

Reply Stage::on_offer(const std::string& client, const messages::Offer& offer, Turn& turn) {
  turn.send(client, messages::Receipt{offer.task, messages::Verdict::late, "the round is closed"});
  return Verdict::discarded;
}

std::unique_ptr<Stage> Stage::stopped(Turn& turn) const {
  return std::make_unique<Concluded>(
      shared_,
      Finish{Finish::Why::stopped,
             "stopped after round " + std::to_string(shared_.standing.last_committed.value)},
      turn);
}

}  // namespace hansa::server
