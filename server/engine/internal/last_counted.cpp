#include "server/engine/internal/last_counted.h"

#include <algorithm>

#include "server/coordinator/task_id.h"

namespace hansa::server::internal {
namespace {

constexpr std::uint32_t rounds_max = 32;
constexpr std::uint32_t opened_max = 16;  // sums of a round that were refused; more are not looked for

using Tasks = std::map<std::string, std::vector<TaskId>, std::less<>>;

// Of one round.
Result<Tasks> read_counted(Store& store, RoundId id, const RunOfTasks& run) {
  Tasks out;
  HANSA_TRY(const auto arrivals, store.arrivals(id));
  for (const Arrival& arrival : arrivals)
    out[arrival.client] = {
        make_task_id(run.seed, run.run, {RoundId(arrival.base.value + 1), arrival.task}, arrival.client)};
  if (!arrivals.empty()) return out;
  HANSA_TRY(const auto record, store.round(id));
  if (!record) return fail(ErrorCode::storage, "store", "has lost round " + std::to_string(id.value));
  // The record does not say how many sums of the round were refused. The client knows which of the tasks it had last.
  const std::uint32_t tasks = record->secure ? std::min(record->attempt, opened_max) : 1;
  for (const Participation& p : record->participations) {
    if (p.outcome != Outcome::counted) continue;
    for (std::uint32_t opened = 0; opened < tasks; ++opened)
      out[p.client].push_back(make_task_id(run.seed, run.run, {id, opened}, p.client));
  }
  return out;
}

}  // namespace

Result<Tasks> read_last_counted(Store& store, RoundId last, const RunOfTasks& run) {
  Tasks out;
  const auto is_found = [&](const std::string& client) { return out.contains(client); };
  for (std::uint32_t i = 0; i < std::min(last.value, rounds_max); ++i) {
    if (std::ranges::all_of(run.clients, is_found)) break;
    HANSA_TRY(auto counted, read_counted(store, RoundId(last.value - i), run));
    out.merge(counted);
  }
  return out;
}

}  // namespace hansa::server::internal
