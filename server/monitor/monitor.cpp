#include "server/monitor/monitor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/metrics_text.h"
#include "common/text.h"
#include "server/monitor/live_json.h"
#include "server/store/held_out.h"
#include "server/store/training_metrics.h"

namespace hansa::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration update_interval = std::chrono::milliseconds(500);
constexpr Duration repeat_interval = std::chrono::seconds(5);  // of a state that does not change
constexpr Duration devices_interval = std::chrono::seconds(2);
constexpr std::size_t rounds_for_median = 15;
constexpr std::size_t metric_names_max = 64;

const std::vector<double> phase_bounds{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1'800, 3'600};

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::gathering: return "gathering";
    case Phase::in_round: return "training";
    case Phase::unmasking: return "unmasking";
    case Phase::committing: return "committing";
    case Phase::finished: return "finished";
  }
  return "";
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void set_means(std::map<std::string, double, std::less<>>& out, const Metrics& metrics) {
  out.clear();
  for (const Metric& metric : metrics)
    if (metric.count > 0 && metric.name != new_examples_metric && out.size() < metric_names_max)
      out[printable(metric.name)] = metric.sum / metric.count;
}

// Without what changes while nothing happens: two states are compared by the rest.
LiveState steady(LiveState state) {
  state.at.clear();
  state.phase_seconds = 0;
  state.eta_seconds.reset();
  if (state.starts_in_seconds) state.starts_in_seconds = 0;
  for (LiveMember& member : state.members) member.since_seconds = 0;
  return state;
}

std::string evaluation_json(const std::string& run, RoundId round, const Metrics& metrics) {
  Json list = Json::array();
  for (const Metric& metric : metrics) {
    const double mean = metric.count > 0 ? metric.sum / metric.count : std::nan("");
    list.push_back({{"name", metric.name},
                    {"mean", std::isfinite(mean) ? Json(mean) : Json(nullptr)},
                    {"count", metric.count}});
  }
  const Json out{{"run", run}, {"round", round.value}, {"evaluation", std::move(list)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The end that is further from good. Of the model's own metrics, of which it is not known what is good, the lower one.
void set_worse_end(std::map<std::string, double, std::less<>>& values, const HeldOutMetric& metric,
                   const std::optional<Interval>& interval) {
  if (!interval) return;
  const double worse = is_loss(metric.total.name) ? interval->most : interval->least;
  if (std::isfinite(worse)) values[metric.name] = worse;
}

// Whose updates a round waits for: "for the updates of 2 of 10 clients: a, b (disconnected)". Empty: for none.
std::string awaited(const std::vector<round::Member>& members) {
  constexpr std::size_t names_max = 5;
  std::string names;
  std::size_t awaited = 0;
  for (const round::Member& member : members) {
    const bool is_gone = member.state == round::MemberState::absent;
    if (member.state != round::MemberState::pending && !is_gone) continue;
    if (awaited++ < names_max)
      names += (names.empty() ? "" : ", ") + member.client + (is_gone ? " (disconnected)" : "");
  }
  if (awaited == 0) return "";
  if (awaited > names_max) names += " and " + std::to_string(awaited - names_max) + " more";
  return "for the updates of " + std::to_string(awaited) + " of " + std::to_string(members.size()) +
         " clients: " + names;
}

}  // namespace

Monitor::Monitor(MonitorValues build, Outputs outputs) : out_(std::move(outputs)), values_(std::move(build)) {
  for (const Outcome outcome : {Outcome::counted, Outcome::no_answer, Outcome::disconnected,
                                Outcome::declined, Outcome::rejected, Outcome::late})
    values_.participants[name(outcome)] = 0;
  out_.values.set(values_);
}

void Monitor::begin_run(const RunFacts& facts) {
  facts_ = facts;
  values_.run = facts.run;
  values_.round = 0;
  values_.rounds_configured = facts.rounds > 0 ? std::optional(facts.rounds) : std::nullopt;
  values_.model_values = facts.model_values;
  round_seconds_.clear();
  evaluated_ = {};
  phase_.reset();
  out_.values.set(values_);
  out_.publish("run", [run = facts.run] { return Json{{"run", run}}.dump(); });
}

void Monitor::take(const RoundRecord& record) {
  values_.round = record.round.value;
  round_seconds_.push_back(record.seconds);
  if (round_seconds_.size() > rounds_for_median) round_seconds_.pop_front();
  set_means(values_.training, training_metrics(record));
  if (const auto measured = held_out(record)) take_held_out(*measured);
  values_.update_norm = std::isfinite(record.update_norm) ? std::optional(record.update_norm) : std::nullopt;
}

void Monitor::take_held_out(const HeldOut& measured) {
  set_means(values_.held_out, means_of(measured));
  values_.held_out_clients.clear();
  values_.held_out_worst_tenth.clear();
  for (const HeldOutMetric& metric : measured.metrics) {
    if (!metric.spread) continue;
    set_worse_end(values_.held_out_clients, metric, metric.spread->mean);
    set_worse_end(values_.held_out_worst_tenth, metric, metric.spread->worst_tenth);
  }
}

void Monitor::take_evaluation(RoundId round, const Metrics& metrics) {
  if (round < evaluated_) return;
  evaluated_ = round;
  set_means(values_.evaluation, metrics);
}

void Monitor::on_restored(const RoundRecord& record) { take(record); }

void Monitor::on_committed(const RoundRecord& record) {
  take(record);
  ++values_.rounds_committed;
  values_.round_seconds.observe(record.seconds);
  for (const Participation& p : record.participations) ++values_.participants[name(p.outcome)];
  if (record.secure) values_.secure_recovered += record.secure->recovered;
  if (attempt_round_ != record.round.value) attempts_ = 1;
  values_.rounds_abandoned += record.attempt - std::min(record.attempt, attempts_);
  attempt_round_ = record.round.value + 1;
  attempts_ = 1;
  devices_changed_ = true;
  out_.publish("round", [json = out_.round_json, run = facts_.run, record] {
    return R"({"run":)" + Json(run).dump() + R"(,"round":)" + json(record) + "}";
  });
}

void Monitor::on_evaluated(RoundId round, const Metrics& metrics) {
  take_evaluation(round, metrics);
  out_.publish("evaluation",
               [run = facts_.run, round, metrics] { return evaluation_json(run, round, metrics); });
}

void Monitor::on_devices_changed(Instant now) {
  devices_changed_ = true;
  if (now < next_devices_) return;
  next_devices_ = now + devices_interval;
  devices_changed_ = false;
  out_.publish("devices", [] { return std::string("{}"); });
}

void Monitor::on_phase(Phase phase, Instant now) {
  if (phase_ == phase) return;
  if (phase_ && *phase_ != Phase::finished)
    values_.phase_seconds.try_emplace(std::string(name_of(*phase_)), phase_bounds)
        .first->second.observe(seconds(now - phase_since_));
  phase_ = phase;
  phase_since_ = now;
  phase_changed_ = true;
}

void Monitor::on_lag(Duration lag) { values_.event_loop_lag_seconds.observe(std::max(0.0, seconds(lag))); }

void Monitor::on_alarm(std::string_view level, const std::string& text, LogEvent event) {
  ++(level == "error" ? values_.errors : values_.warnings);
  LiveAlarm alarm{std::string(level), rfc3339_text(out_.wall_clock()), printable(text),
                  std::string(name(event))};
  const auto same = std::ranges::find_if(alarms_, [&](const LiveAlarm& a) {
    return a.level == alarm.level && a.event == alarm.event &&
           (event != LogEvent::none || a.text == alarm.text);
  });
  if (same != alarms_.end()) {
    alarm.count = same->count + 1;
    alarm.first_at = same->first_at;
    alarms_.erase(same);
  }
  alarms_.push_back(std::move(alarm));
  if (alarms_.size() > live_alarms_max) alarms_.pop_front();
}

// Attempts are seen by their numbers, because they may be shorter than the time between two looks.
void Monitor::count_attempts(const Progress& progress) {
  if (progress.round.value != attempt_round_) {
    attempt_round_ = progress.round.value;
    attempts_ = 1;
  }
  if (progress.attempt <= attempts_) return;
  values_.rounds_abandoned += progress.attempt - attempts_;
  attempts_ = progress.attempt;
}

std::vector<LiveMember> Monitor::members_of(const Progress& progress, Instant now) {
  std::map<std::string, MemberSince, std::less<>> current;
  std::vector<LiveMember> out;
  out.reserve(progress.members.size());
  for (const round::Member& member : progress.members) {
    MemberSince since{round::name(member.state), now};
    if (const auto before = members_.find(member.client);
        before != members_.end() && before->second.state == since.state)
      since.since = before->second.since;
    out.push_back({member.client, since.state, seconds(now - since.since), std::nullopt});
    current.emplace(member.client, std::move(since));
  }
  members_ = std::move(current);
  for (const UploadProgress& upload : progress.uploads) {
    if (upload.is_waiting || upload.bytes == 0) continue;
    const auto member = std::ranges::find(out, upload.client, &LiveMember::client);
    if (member != out.end())
      member->upload = static_cast<double>(upload.received) / static_cast<double>(upload.bytes);
  }
  return out;
}

LiveState Monitor::live_state(const Progress& p, const Traffic& traffic, Instant now) {
  LiveState out;
  out.run = facts_.run;
  out.at = rfc3339_text(out_.wall_clock());
  out.phase = name_of(p.phase);
  out.phase_seconds = seconds(p.waited);
  out.round = p.round.value;
  if (p.rounds > 0) out.rounds = p.rounds;
  out.attempt = p.attempt;
  out.connected = p.connected;
  for (const ConnectedClient& c : p.connected_clients)
    out.connected_clients.push_back({c.client, c.new_examples});
  out.ready = p.ready;
  out.needed = p.needed;
  out.expected = p.expected;
  if (p.starts_at) out.starts_in_seconds = std::max(0.0, seconds(*p.starts_at - now));
  out.waits = p.phase == Phase::in_round ? awaited(p.members) : p.waits;
  out.exchange = p.exchange;
  out.retry = p.retry;
  out.why_done = p.why_done;
  out.members = members_of(p, now);
  out.missing = p.missing;
  out.left_out = p.left_out;
  out.evaluations_waiting = traffic.evaluations;
  out.bytes_up = traffic.bytes_up;
  out.bytes_down = traffic.bytes_down;
  if (!round_seconds_.empty()) {
    const double typical = median({round_seconds_.begin(), round_seconds_.end()});
    out.round_seconds_median = typical;
    const std::uint32_t left = p.rounds > values_.round ? p.rounds - values_.round : 0;
    if (left > 0 && !p.all_rounds_done) {
      const double elapsed = p.phase == Phase::gathering ? 0 : seconds(p.waited);
      out.eta_seconds = typical * left - std::min(elapsed, typical);
    }
  }
  out.alarms.assign(alarms_.begin(), alarms_.end());
  return out;
}

void Monitor::fill_values(const Progress& p, const Traffic& traffic) {
  values_.bytes_received = traffic.bytes_up;
  values_.bytes_sent = traffic.bytes_down;
  values_.clients_connected = p.connected;
  // Known while clients are gathered; during a round those that it has.
  values_.clients_ready =
      p.phase == Phase::gathering ? p.ready : static_cast<std::uint32_t>(p.members.size());
  if (p.phase == Phase::gathering) values_.clients_needed = p.needed;
  values_.clients_left_out = static_cast<std::uint32_t>(p.left_out.size());
  values_.clients_admitted = traffic.admitted;
  values_.upload_queue =
      static_cast<std::uint32_t>(std::ranges::count_if(p.uploads, &UploadProgress::is_waiting));
  values_.uploads_in_progress = static_cast<std::uint32_t>(p.uploads.size()) - values_.upload_queue;
  values_.evaluations_waiting = traffic.evaluations;
  values_.certificates_expire_seconds.reset();
  if (traffic.first_expiry && *traffic.first_expiry != utc_never)
    values_.certificates_expire_seconds =
        static_cast<double>(traffic.first_expiry->value) - static_cast<double>(out_.wall_clock().value);
}

void Monitor::update(const Progress& progress, const Traffic& traffic, Instant now) {
  if (!is_due(now)) return;
  phase_changed_ = false;
  next_update_ = now + update_interval;
  count_attempts(progress);
  fill_values(progress, traffic);
  out_.values.set(values_);
  LiveState state = live_state(progress, traffic, now);
  LiveState compared = steady(state);
  if (compared != published_ || now >= next_repeat_) {
    published_ = std::move(compared);
    next_repeat_ = now + repeat_interval;
    out_.live.set(std::move(state));
    out_.publish("live", [latest = out_.live.latest()] { return json_of(*latest); });
  }
  if (!std::ranges::equal(connected_, progress.connected_clients, {}, {}, &ConnectedClient::client)) {
    connected_.clear();
    for (const ConnectedClient& c : progress.connected_clients) connected_.push_back(c.client);
    devices_changed_ = true;
  }
  if (devices_changed_) on_devices_changed(now);
}

}  // namespace hansa::server
