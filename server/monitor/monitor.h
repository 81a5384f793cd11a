// Turns what the aggregator's process reports into what the dashboard shows: the live state, the values of /metrics, and
// the events of the stream.
//
// One thread: the engine's. It gives values away (board.h) and never waits. Time is an argument.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/log_events.h"
#include "common/time.h"
#include "common/training.h"
#include "common/utc.h"
#include "server/coordinator/progress.h"
#include "server/monitor/board.h"
#include "server/monitor/live_board.h"
#include "server/monitor/prometheus.h"
#include "server/store/store.h"

namespace hansa::server {

struct HeldOut;

class ValuesBoard final : public Board<MonitorValues> {};

class Monitor {
 public:
  struct Outputs {
    LiveBoard& live;
    ValuesBoard& values;
    // An event of the stream. The text is made later, on another thread.
    std::function<void(std::string_view event, std::function<std::string()> json)> publish;
    std::function<std::string(const RoundRecord&)> round_json;  // `Round` of the HTTP API
    UtcSeconds (*wall_clock)() = utc_seconds_now;
  };
  // build: version, commit, protocol and federation; the rest is not used. Everything outlives the monitor.
  Monitor(MonitorValues build, Outputs outputs);

  struct RunFacts {
    std::string run;
    std::uint32_t rounds = 0;  // configured; 0: no end
    std::uint64_t model_values = 0;
  };
  // The run of which the following calls are.
  void begin_run(const RunFacts& facts);
  void on_restored(const RoundRecord& record);  // in the order of the rounds
  void on_committed(const RoundRecord& record);
  void on_evaluated(RoundId round, const Metrics& metrics);
  void on_restored_evaluation(RoundId round, const Metrics& metrics) { take_evaluation(round, metrics); }
  void on_devices_changed(Instant now);
  void on_phase(Phase phase, Instant now);  // of the engine, whenever it may have changed
  void on_lag(Duration lag);
  // level: "warning" or "error". Alarms of the same level and event are one in the live state, so that one cause that
  // repeats itself does not displace the others; without an event, those of the same text.
  void on_alarm(std::string_view level, const std::string& text, LogEvent event = LogEvent::none);

  struct Traffic {
    std::uint64_t bytes_up = 0, bytes_down = 0;
    std::uint64_t evaluations = 0;  // that wait
    std::uint32_t admitted = 0;
    std::optional<UtcSeconds> first_expiry;  // of the clients' certificates
  };
  // Gives the state away, at most twice a second, and at once if the phase has changed. To be called a few times a second.
  void update(const Progress& progress, const Traffic& traffic, Instant now);
  // Whether update() would do something now, so that the caller need not ask for the progress.
  [[nodiscard]] bool is_due(Instant now) const { return phase_changed_ || now >= next_update_; }

 private:
  struct MemberSince {
    std::string state;
    Instant since;
  };

  void take(const RoundRecord& record);
  // The newest round is evaluated first, so that an older one may follow it.
  void take_held_out(const HeldOut& measured);
  void take_evaluation(RoundId round, const Metrics& metrics);
  void count_attempts(const Progress& progress);
  [[nodiscard]] std::vector<LiveMember> members_of(const Progress& progress, Instant now);
  [[nodiscard]] LiveState live_state(const Progress& progress, const Traffic& traffic, Instant now);
  void fill_values(const Progress& progress, const Traffic& traffic);

  Outputs out_;
  MonitorValues values_;
  RunFacts facts_;
  RoundId evaluated_;  // the newest round that is
  std::deque<double> round_seconds_;  // of the last rounds
  std::map<std::string, MemberSince, std::less<>> members_;  // of the current round
  std::deque<LiveAlarm> alarms_;
  std::optional<Phase> phase_;
  Instant phase_since_;
  bool phase_changed_ = false;
  Instant next_update_, next_repeat_;
  std::optional<LiveState> published_;  // without what changes by itself
  std::uint32_t attempt_round_ = 0, attempts_ = 1;
  bool devices_changed_ = false;
  std::vector<std::string> connected_;  // clients, as of the last update
  Instant next_devices_;
};

}  // namespace hansa::server
