#include "server/selection/reliability.h"

#include <algorithm>

namespace hansa::server {

Duration Reliability::on_fault(std::string_view client, Duration cost, Instant now) {
  Score& score = scores_[std::string(client)];
  Duration rest = std::clamp(cost, config_.rest_min, config_.rest_max);
  for (std::uint32_t i = 0; i < score.faults && rest < config_.rest_max; ++i) rest *= config_.growth;
  rest = std::min(rest, config_.rest_max);
  ++score.faults;
  score.counted_in_a_row = 0;
  score.rests_until = std::max(score.rests_until, now + rest);
  score.rest_is_known = true;
  return rest;
}

void Reliability::on_counted(std::string_view client) {
  const auto found = scores_.find(client);
  if (found == scores_.end() || ++found->second.counted_in_a_row < config_.rounds_to_forget) return;
  found->second.counted_in_a_row = 0;
  if (--found->second.faults == 0) scores_.erase(found);
}

bool Reliability::rests(std::string_view client, Instant now) const {
  return rest_left(client, now) > Duration::zero();
}

Duration Reliability::rest_left(std::string_view client, Instant now) const {
  const auto found = scores_.find(client);
  return found == scores_.end() ? Duration::zero()
                                : std::max(found->second.rests_until - now, Duration::zero());
}

std::uint32_t Reliability::faults(std::string_view client) const {
  const auto found = scores_.find(client);
  return found == scores_.end() ? 0 : found->second.faults;
}

std::vector<FaultRecord> Reliability::records(Instant now) const {
  std::vector<FaultRecord> out;
  for (const auto& [client, score] : scores_)
    out.push_back({client, score.faults, score.counted_in_a_row, rest_left(client, now)});
  return out;
}

void Reliability::restore(std::span<const FaultRecord> records, Instant now) {
  for (const FaultRecord& record : records) {
    if (record.faults == 0) continue;
    const Duration rest = std::clamp(record.rest_left, Duration::zero(), config_.rest_max);
    scores_[record.client] = {record.faults, std::min(record.counted_in_a_row, config_.rounds_to_forget - 1),
                              now + rest, rest > Duration::zero()};
  }
}

bool Reliability::forgive(std::string_view client) {
  const auto found = scores_.find(client);
  if (found == scores_.end()) return false;
  scores_.erase(found);
  return true;
}

std::vector<std::string> Reliability::take_returned(Instant now) {
  std::vector<std::string> out;
  for (auto& [client, score] : scores_) {
    if (!score.rest_is_known || score.rests_until > now) continue;
    score.rest_is_known = false;
    out.push_back(client);
  }
  return out;
}

}  // namespace hansa::server
