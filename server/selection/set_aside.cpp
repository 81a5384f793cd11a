#include "server/selection/set_aside.h"

#include <algorithm>
#include <utility>

namespace hansa::server {

SetAside::State& SetAside::state_of(std::string_view client) {
  const auto found = states_.find(client);
  if (found != states_.end()) return found->second;
  return states_.emplace(std::string(client), State(config_.early)).first->second;
}

Duration SetAside::next_pause(State& state, Duration at_least) const {
  const Duration doubled = std::min(2 * state.pause, config_.pause_max);
  state.pause = std::max({config_.pause_min, doubled, at_least});
  return state.pause;
}

Duration SetAside::on_failed(std::string_view client, std::string reason, Duration cost, Instant now) {
  State& state = state_of(client);
  state.held = {Why::task_failed, std::move(reason)};
  state.has_declined = true;
  const Duration pause = next_pause(state, cost);
  state.until = now + pause;
  return pause;
}

void SetAside::on_nothing_new(std::string_view client, std::uint64_t new_examples, Instant now) {
  State& state = state_of(client);
  state.held = {Why::no_new_data, "no new data"};
  state.trains_only_on_new = true;
  state.has_declined = true;
  // With a report of new data it should not have declined: the report may be late, or wrong.
  state.until = new_examples == 0 ? Instant::max() : now + next_pause(state, Duration::zero());
}

bool SetAside::end_early(State& state, Instant now) {
  if (state.until <= now || (state.has_declined && !state.early.take(now))) return false;
  state.until = now;
  return true;
}

bool SetAside::on_report(std::string_view client, std::uint64_t new_examples, Instant now) {
  const auto found = states_.find(client);
  if (found == states_.end() || found->second.until <= now) return false;
  State& state = found->second;
  if (state.held.why == Why::no_new_data && new_examples == 0) {
    state.until = Instant::max();
    return false;
  }
  if (end_early(state, now)) return true;
  // The report of new data is remembered for the end of a pause.
  if (state.until == Instant::max()) state.until = now + next_pause(state, Duration::zero());
  return false;
}

bool SetAside::on_restarted(std::string_view client, Instant now) {
  const auto found = states_.find(client);
  return found != states_.end() && end_early(found->second, now);
}

bool SetAside::on_counted(std::string_view client, std::uint64_t new_examples, Instant now) {
  const auto found = states_.find(client);
  if (found == states_.end()) return false;
  State& state = found->second;
  const bool had_failed = state.has_declined && state.held.why == Why::task_failed;
  if (!state.trains_only_on_new) {
    states_.erase(found);
    return had_failed;
  }
  state.held = {Why::no_new_data, "no new data"};
  state.has_declined = false;
  state.pause = Duration::zero();
  // Its report may be older than the update that was counted.
  state.until = new_examples == 0 ? Instant::max() : now + next_pause(state, Duration::zero());
  return had_failed;
}

void SetAside::forget(std::string_view client) {
  if (const auto found = states_.find(client); found != states_.end()) states_.erase(found);
}

const SetAside::Held* SetAside::find(std::string_view client, Instant now) const {
  const auto found = states_.find(client);
  return found == states_.end() || found->second.until <= now ? nullptr : &found->second.held;
}

Instant SetAside::next_return(Instant now) const {
  Instant next = Instant::max();
  for (const auto& [client, state] : states_)
    if (state.until > now) next = std::min(next, state.until);
  return next;
}

}  // namespace hansa::server
