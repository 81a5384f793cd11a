#include "server/coordinator/internal/buffer.h"

#include <algorithm>
#include <utility>

#include "common/held_out_metrics.h"
#include "server/coordinator/internal/round_record.h"

namespace hansa::server {
namespace {

void add(Metrics& to, const Metrics& metrics) {
  for (const Metric& metric : metrics) {
    const auto same = std::ranges::find(to, metric.name, &Metric::name);
    if (same == to.end()) {
      to.push_back(metric);
      continue;
    }
    same->sum += metric.sum;
    same->count += metric.count;
  }
}

}  // namespace

void Buffer::count(const CoordinatorConfig& config, const std::string& client, const Trainee& trainee,
                   std::uint64_t weight) {
  arrivals_.push_back(
      {client, RoundId(trainee.work.round.value - 1), trainee.work.opened, trainee.staleness, weight});
  ++counted_of_[client];
  Metrics metrics = trainee.offer.metrics;
  drop_unsigned_metrics(config, metrics);
  // Those of the held-out examples are recorded for the model before the round, and a stale update measured another one.
  if (trainee.staleness > 0 || trainee.work.round != round_)
    std::erase_if(metrics, [](const Metric& metric) { return is_of_held_out(metric.name); });
  Participation& p = participations_[client];
  if (p.outcome != Outcome::counted) p = Participation{};
  p.client = client;
  p.outcome = Outcome::counted;
  p.examples += trainee.offer.examples;
  p.update = trainee.offer.update;
  p.train_seconds += trainee.offer.train_seconds;
  p.seconds = std::max(p.seconds, trainee.seconds);
  add(p.metrics, metrics);
}

void Buffer::lose(const std::string& client, Outcome outcome, std::string reason) {
  Participation& p = participations_[client];
  if (p.outcome == Outcome::counted) return;
  p.client = client;
  p.outcome = outcome;
  p.reason = std::move(reason);
}

std::uint32_t Buffer::counted_of(std::string_view client) const {
  const auto found = counted_of_.find(client);
  return found == counted_of_.end() ? 0 : found->second;
}

RoundRecord Buffer::record(const Digest& base) const {
  RoundRecord out;
  out.round = round_;
  out.base = base;
  for (const auto& [client, participation] : participations_) out.participations.push_back(participation);
  out.arrivals = arrivals_;
  return out;
}

}  // namespace hansa::server
