#include "server/process/internal/fault_keeper.h"

#include <algorithm>
#include <utility>

namespace hansa::server::internal {
namespace {

constexpr Duration pause = std::chrono::seconds(1);
// The end of a rest is computed again and again from the time that is left: it differs by rounding.
constexpr std::uint64_t tolerance_s = 2;

std::map<std::string, DeviceStanding> standings_of(const std::vector<FaultRecord>& records, UtcSeconds now) {
  std::map<std::string, DeviceStanding> out;
  for (const FaultRecord& record : records) {
    UtcSeconds until;
    if (record.rest_left > Duration::zero())
      until = {now.value + static_cast<std::uint64_t>(record.rest_left / std::chrono::seconds(1)) + 1};
    out[record.client] = {record.faults, record.counted_in_a_row, until};
  }
  return out;
}

bool is_same(const DeviceStanding& a, const DeviceStanding& b) {
  const auto [first, second] = std::minmax(a.left_out_until.value, b.left_out_until.value);
  return a.faults == b.faults && a.counted_in_a_row == b.counted_in_a_row && second - first <= tolerance_s;
}

}  // namespace

FaultKeeper::FaultKeeper(std::shared_ptr<DeviceHistory> history, Executor& executor,
                         std::function<void(const std::string&)> on_error)
    : history_(std::move(history)), executor_(executor), on_error_(std::move(on_error)) {}

std::vector<FaultRecord> FaultKeeper::read(UtcSeconds now) {
  if (!history_) return {};
  auto standings = history_->standings();
  if (!standings) {
    report(standings.error());
    return {};
  }
  std::vector<FaultRecord> out;
  for (const auto& [client, standing] : *standings) {
    const std::uint64_t until = standing.left_out_until.value;
    // The clock may have been set, or the file be damaged: the coordinator limits the rest, and so does this.
    constexpr std::uint64_t days_max_s = 30 * 86'400;
    const std::uint64_t left_s = until > now.value ? std::min(until - now.value, days_max_s) : 0;
    out.push_back({client, standing.faults, standing.counted_in_a_row, std::chrono::seconds(left_s)});
  }
  written_ = std::move(*standings);
  return out;
}

bool FaultKeeper::has_changed(const Standings& current) const {
  return !std::ranges::equal(current, written_, [](const auto& a, const auto& b) {
    return a.first == b.first && is_same(a.second, b.second);
  });
}

void FaultKeeper::exchange(const std::vector<FaultRecord>& current, Instant now, UtcSeconds time_of_day,
                           std::function<void(std::vector<std::string>)> on_released) {
  if (!history_ || is_working_ || now < next_) return;
  next_ = now + pause;
  is_working_ = true;
  Standings standings = standings_of(current, time_of_day);
  const bool changed = has_changed(standings);
  auto released = std::make_shared<Result<std::vector<std::string>>>();
  executor_.run(
      [history = history_, standings, changed, released] {
        *released = history->released();
        if (*released && (changed || !(*released)->empty()))
          *released = history->replace_standings(standings);
      },
      [this, standings, released, on_released = std::move(on_released)]() mutable {
        is_working_ = false;
        if (!*released) return report(released->error());
        for (const std::string& client : **released) standings.erase(client);
        written_ = std::move(standings);
        if (!(*released)->empty()) on_released(std::move(**released));
      });
}

void FaultKeeper::finish(const std::vector<FaultRecord>& current, UtcSeconds time_of_day) {
  if (!history_) return;
  const Standings standings = standings_of(current, time_of_day);
  if (!has_changed(standings)) return;
  if (const auto written = history_->replace_standings(standings); !written) report(written.error());
}

void FaultKeeper::report(const Error& error) {
  if (std::exchange(has_reported_, true)) return;
  on_error_("which clients are left out for their faults is not kept: " + error.text());
}

}  // namespace hansa::server::internal
