#include "server/coordinator/internal/round_record.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/held_out_metrics.h"

namespace hansa::server {
namespace {

Participation participation(const ActiveRound& round, const Participant& participant,
                            const Uploads& uploads) {
  const std::string& client = participant.client;
  Participation out;
  out.client = client;
  out.reason = round.round().members()[participant.index.value].reason;
  switch (round.state(participant)) {
    case round::MemberState::counted:
      out.outcome = Outcome::counted;
      out.examples = participant.offer.examples;
      out.update = participant.offer.update;
      out.train_seconds = participant.offer.train_seconds;
      out.metrics = participant.offer.metrics;
      out.seconds = participant.seconds;
      break;
    case round::MemberState::declined: out.outcome = Outcome::declined; break;
    case round::MemberState::rejected: out.outcome = Outcome::rejected; break;
    case round::MemberState::absent:
      out.outcome = Outcome::disconnected;
      out.reason = "its session ended and did not come back";
      break;
    case round::MemberState::left:
      out.outcome = Outcome::disconnected;
      out.reason = "it left";
      break;
    case round::MemberState::pending:
    case round::MemberState::verifying:
      if (uploads.state(client) != UploadState::none) {
        out.outcome = Outcome::late;
        out.reason = std::to_string(uploads.received(client)) + " of " +
                     std::to_string(uploads.offered_bytes(client)) + " bytes of its update had arrived";
      } else {
        out.outcome = Outcome::no_answer;
        out.reason = "no update before the deadline";
      }
      break;
  }
  return out;
}

}  // namespace

void drop_unsigned_metrics(const CoordinatorConfig& config, Metrics& metrics) {
  const auto& approval = config.model.approval;
  const std::vector<std::string> own = approval ? approval->metrics : std::vector<std::string>{};
  const std::vector<std::string> known = held_out_metric_names(PersonalModel::present, own);
  std::erase_if(metrics, [&](const Metric& metric) {
    return is_own_metric(metric.name) && std::ranges::find(known, metric.name) == known.end();
  });
}

RoundRecord make_record(const ActiveRound& round, const Shared& shared, Instant now) {
  RoundRecord record;
  record.round = round.id();
  record.base = shared.standing.model;
  record.attempt = round.attempt();
  record.seconds = seconds(now - round.began());
  for (const Participant& p : round.participants()) {
    record.participations.push_back(participation(round, p, shared.uploads));
    drop_unsigned_metrics(shared.config, record.participations.back().metrics);
  }
  return record;
}

}  // namespace hansa::server
