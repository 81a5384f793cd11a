#include "server/coordinator/internal/committed_round.h"

#include "server/coordinator/internal/blame.h"

namespace hansa::server {
namespace {

// To the participants whose masked updates are in the committed model.
void send_receipts(Shared& shared, const ActiveRound& round, Turn& turn) {
  for (const Participant& p : round.participants()) {
    if (round.state(p) != round::MemberState::counted) continue;
    shared.clients.on_counted(p.client, p.task);
    turn.send(p.client, messages::Receipt{p.task, messages::Verdict::counted, {}});
  }
}

void on_counted(Shared& shared, const std::string& client, Turn& turn) {
  shared.reliability.on_counted(client);
  const Client* known = shared.clients.find(client);
  if (shared.set_aside.on_counted(client, known == nullptr ? 0 : known->new_examples, turn.now))
    turn.inform_about(client, "takes part again", LogEvent::client_returned,
                      client + " takes part in rounds again");
}

}  // namespace

void adopt(Shared& shared, const RoundCommitted& committed) {
  shared.standing.last_committed = committed.round;
  shared.standing.last_started = shared.round_started;
  shared.standing.model = committed.model;
  shared.standing.published = committed.published;
  shared.opened_sums = 0;
  shared.exchanges->on_committed(committed);
}

void settle_committed(Shared& shared, const ActiveRound& round, messages::Verdict receipt,
                      const RoundRecord& record, Turn& turn) {
  shared.clients.on_round(record);
  shared.drop_rate.on_attempt(static_cast<std::uint32_t>(round.participants().size()),
                              static_cast<std::uint32_t>(round.counted_names().size()));
  if (receipt == messages::Verdict::summed) send_receipts(shared, round, turn);
  shared.attempts_in_vain = 0;
  (void)blame_culprit(shared, shared.search.on_committed(round.counted_names()), turn.now - round.began(),
                      turn);
  for (const Participation& p : record.participations)
    if (p.outcome == Outcome::counted) on_counted(shared, p.client, turn);
}

}  // namespace hansa::server
