#include "server/monitor/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/monitor/live_json.h"
#include "server/monitor/monitor_pages.h"
#include "server/monitor/operator_commands.h"
#include "server/monitor/run_json.h"

namespace hansa::server {
namespace {

using nlohmann::json;

struct Fixture {
  struct Event {
    std::string name;
    json data;
  };
  LiveBoard live;
  ValuesBoard values;
  std::vector<Event> events;
  Monitor monitor{[] {
                    MonitorValues out;
                    out.federation = "f";
                    return out;
                  }(),
                  {live, values,
                   [this](std::string_view name, const std::function<std::string()>& text) {
                     events.push_back({std::string(name), json::parse(text())});
                   },
                   [](const RoundRecord& record) { return api_round(record); },
                   [] { return UtcSeconds{1'800'000'000}; }}};
  Instant now{std::chrono::hours(1)};

  Fixture() { monitor.begin_run({"run-1", 20, 1'000}); }
  [[nodiscard]] std::size_t count(const std::string& name) const {
    return static_cast<std::size_t>(
        std::ranges::count(events, name, [](const Event& event) { return event.name; }));
  }
  [[nodiscard]] const json& last(const std::string& name) const {
    for (auto event = events.rbegin(); event != events.rend(); ++event)
      if (event->name == name) return event->data;
    throw std::runtime_error("no event " + name);
  }
  void update(const Progress& progress, const Monitor::Traffic& traffic = {}) {
    monitor.on_phase(progress.phase, now);
    monitor.update(progress, traffic, now);
  }
};

// All of them train.
Progress training(const std::vector<std::string>& clients) {
  Progress out;
  out.phase = Phase::in_round;
  out.round = RoundId(4);
  out.rounds = 20;
  for (const std::string& client : clients) out.members.push_back({client, round::MemberState::pending, ""});
  return out;
}

RoundRecord record(std::uint32_t round, double seconds) {
  RoundRecord out;
  out.round = RoundId(round);
  out.seconds = seconds;
  out.started_at = "2026-01-02T03:04:05Z";
  out.participations = {{"a", Outcome::counted, "", 10, {}, 100, 200, 1, 1, {{"loss", 5, 10}}},
                        {"b", Outcome::late, "", 0, {}, 50, 60, 1, 1, {}}};
  out.update_norm = 2;
  return out;
}

TEST(Monitor, ARunBegins) {
  Fixture f;
  EXPECT_EQ(f.last("run"), json::parse(R"({"run":"run-1"})"));
  EXPECT_EQ(f.values.latest()->run, "run-1");
  EXPECT_EQ(f.values.latest()->rounds_configured, 20U);
  EXPECT_EQ(f.values.latest()->participants.at("declined"), 0U);
  EXPECT_EQ(f.live.latest(), nullptr);
}

TEST(Monitor, TheStateIsSentAtMostTwiceASecondAndOnlyIfItChanges) {
  Fixture f;
  Progress progress;
  progress.phase = Phase::gathering;
  progress.rounds = 20;
  f.update(progress);
  EXPECT_EQ(f.count("live"), 1U);
  progress.connected = 1;
  f.now += std::chrono::milliseconds(100);
  EXPECT_FALSE(f.monitor.is_due(f.now));
  f.update(progress);
  EXPECT_EQ(f.count("live"), 1U);
  f.now += std::chrono::milliseconds(400);
  f.update(progress);
  EXPECT_EQ(f.count("live"), 2U);
  EXPECT_EQ(f.last("live")["connected"], 1);
  // Time passes, and nothing happens.
  for (int i = 0; i < 8; ++i) {
    f.now += std::chrono::milliseconds(500);
    f.update(progress);
  }
  EXPECT_EQ(f.count("live"), 2U);
  f.now += std::chrono::seconds(1);
  f.update(progress);
  EXPECT_EQ(f.count("live"), 3U);
}

TEST(Monitor, AnotherPhaseIsSentAtOnce) {
  Fixture f;
  Progress progress;
  progress.phase = Phase::gathering;
  f.update(progress);
  f.now += std::chrono::milliseconds(2);
  f.update(training({"a"}));
  EXPECT_EQ(f.count("live"), 2U);
  EXPECT_EQ(f.last("live")["phase"], "training");
  EXPECT_EQ(f.live.latest()->phase, "training");
}

TEST(Monitor, ARoundNamesTheClientsWhoseUpdatesItWaitsFor) {
  Fixture f;
  Progress progress = training({"a", "b", "c", "d", "e", "f", "g", "h"});
  f.update(progress);
  EXPECT_EQ(f.last("live")["waits"], "for the updates of 8 of 8 clients: a, b, c, d, e and 3 more");
  progress.members[0].state = round::MemberState::verifying;
  progress.members[1].state = round::MemberState::counted;
  progress.members[2].state = round::MemberState::declined;
  progress.members[3].state = round::MemberState::left;
  progress.members[4].state = round::MemberState::rejected;
  progress.members[6].state = round::MemberState::absent;
  f.now += std::chrono::seconds(1);
  f.update(progress);
  EXPECT_EQ(f.last("live")["waits"], "for the updates of 3 of 8 clients: f, g (disconnected), h");
  for (round::Member& member : progress.members) member.state = round::MemberState::counted;
  f.now += std::chrono::seconds(1);
  f.update(progress);
  EXPECT_EQ(f.last("live")["waits"], "");
}

TEST(Monitor, MembersHaveTheTimeInTheirStateAndTheProgressOfTheirUpload) {
  Fixture f;
  Progress progress = training({"a", "b", "c"});
  f.update(progress);
  f.now += std::chrono::seconds(3);
  progress.members[1].state = round::MemberState::counted;
  progress.uploads = {{"a", 25, 100, false}, {"c", 0, 100, true}};
  f.update(progress);
  f.now += std::chrono::seconds(2);
  f.update(progress);
  const json& members = f.last("live")["members"];
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[0]["state"], "pending");
  EXPECT_DOUBLE_EQ(f.live.latest()->members[0].since_seconds, 3);
  EXPECT_DOUBLE_EQ(members[0]["upload"], 0.25);
  EXPECT_EQ(members[1]["state"], "counted");
  EXPECT_TRUE(members[2]["upload"].is_null());
  EXPECT_EQ(f.values.latest()->uploads_in_progress, 1U);
  EXPECT_EQ(f.values.latest()->upload_queue, 1U);
}

TEST(Monitor, ACommittedRoundIsAnEventAndIsCounted) {
  Fixture f;
  f.monitor.on_committed(record(4, 30));
  f.update(training({}));
  const json& event = f.last("round");
  EXPECT_EQ(event["run"], "run-1");
  EXPECT_EQ(event["round"]["round"], 4);
  EXPECT_EQ(event["round"]["counted"], 1);
  EXPECT_EQ(event["round"]["lost"], 1);
  EXPECT_EQ(event["round"]["bytes_up"], 150);
  EXPECT_EQ(event["round"]["training"][0]["name"], "loss");
  EXPECT_EQ(event["round"]["training"][0]["mean"], 0.5);
  EXPECT_TRUE(event["round"]["secure"].is_null());
  const auto values = f.values.latest();
  EXPECT_EQ(values->rounds_committed, 1U);
  EXPECT_EQ(values->round, 4U);
  EXPECT_EQ(values->participants.at("counted"), 1U);
  EXPECT_EQ(values->participants.at("late"), 1U);
  EXPECT_EQ(values->training.at("loss"), 0.5);
  EXPECT_EQ(values->update_norm, 2);
  EXPECT_EQ(f.count("devices"), 1U);
}

TEST(Monitor, TheTimeThatIsLeftIsThatOfTypicalRounds) {
  Fixture f;
  for (const double seconds : {10.0, 1'000.0, 20.0}) f.monitor.on_restored(record(4, seconds));
  Progress progress = training({});
  progress.round = RoundId(5);
  progress.waited = std::chrono::seconds(5);
  f.update(progress);
  EXPECT_EQ(f.live.latest()->round_seconds_median, 20);
  EXPECT_EQ(f.live.latest()->eta_seconds, 16 * 20 - 5);
  EXPECT_EQ(f.values.latest()->rounds_committed, 0U);
  progress.rounds = 0;
  f.now += std::chrono::seconds(6);
  f.update(progress);
  EXPECT_FALSE(f.live.latest()->eta_seconds);
  EXPECT_FALSE(f.live.latest()->rounds);
}

TEST(Monitor, AbandonedAttemptsAreCountedByTheirNumbers) {
  Fixture f;
  const auto at = [&](std::uint32_t round, std::uint32_t attempt) {
    Progress progress = training({});
    progress.round = RoundId(round);
    progress.attempt = attempt;
    f.now += std::chrono::seconds(1);
    f.update(progress);
    return f.values.latest()->rounds_abandoned;
  };
  EXPECT_EQ(at(1, 1), 0U);
  EXPECT_EQ(at(1, 3), 2U);
  EXPECT_EQ(at(1, 3), 2U);
  RoundRecord committed = record(1, 1);
  committed.attempt = 4;
  f.monitor.on_committed(committed);
  EXPECT_EQ(at(2, 1), 3U);
  EXPECT_EQ(at(2, 2), 4U);
}

TEST(Monitor, PhasesAreMeasured) {
  Fixture f;
  f.monitor.on_phase(Phase::gathering, f.now);
  f.monitor.on_phase(Phase::gathering, f.now + std::chrono::seconds(1));
  f.monitor.on_phase(Phase::in_round, f.now + std::chrono::seconds(2));
  f.monitor.on_phase(Phase::committing, f.now + std::chrono::seconds(9));
  f.update(training({}));
  const auto values = f.values.latest();
  EXPECT_EQ(values->phase_seconds.at("gathering").sum(), 2);
  EXPECT_EQ(values->phase_seconds.at("training").sum(), 7);
}

TEST(Monitor, OnlyTheLastAlarmsStay) {
  Fixture f;
  for (int i = 0; i < 25; ++i) f.monitor.on_alarm("warning", "w" + std::to_string(i));
  f.monitor.on_alarm("error", "bad\x1b[31m");
  f.update(training({}));
  const auto state = f.live.latest();
  ASSERT_EQ(state->alarms.size(), live_alarms_max);
  EXPECT_EQ(state->alarms.back().level, "error");
  EXPECT_EQ(state->alarms.back().text, "bad\\x1b[31m");
  EXPECT_EQ(state->alarms.front().text, "w6");
  EXPECT_EQ(f.values.latest()->warnings, 25U);
  EXPECT_EQ(f.values.latest()->errors, 1U);
}

TEST(Monitor, AlarmsOfOneEventAreOneAndDoNotDisplaceOthers) {
  Fixture f;
  f.monitor.on_alarm("error", "the disk is full");
  for (int i = 0; i < 25; ++i)
    f.monitor.on_alarm("warning", "client-" + std::to_string(i) + " is refused", LogEvent::client_refused);
  f.monitor.on_alarm("warning", "the same text");
  f.monitor.on_alarm("error", "client-3 is refused", LogEvent::client_refused);
  f.monitor.on_alarm("warning", "the same text");
  f.update(training({}));
  const json& alarms = f.last("live")["alarms"];
  ASSERT_EQ(alarms.size(), 4U);
  EXPECT_EQ(alarms[0]["text"], "the disk is full");
  EXPECT_EQ(alarms[0]["count"], 1);
  EXPECT_EQ(alarms[0]["event"], "");
  EXPECT_EQ(alarms[1]["text"], "client-24 is refused");
  EXPECT_EQ(alarms[1]["event"], "client.refused");
  EXPECT_EQ(alarms[1]["count"], 25);
  EXPECT_EQ(alarms[1]["first_at"], alarms[1]["at"]);
  EXPECT_EQ(alarms[2]["level"], "error") << "another level is another alarm";
  EXPECT_EQ(alarms[3]["text"], "the same text");
  EXPECT_EQ(alarms[3]["count"], 2);
  EXPECT_EQ(f.values.latest()->warnings, 27U) << "each of them is counted";
}

TEST(Monitor, AnEvaluationIsAnEvent) {
  Fixture f;
  f.monitor.on_evaluated(RoundId(3), {{"accuracy", 3, 4}, {"none", 0, 0}});
  EXPECT_EQ(f.last("evaluation"),
            json::parse(R"({"run":"run-1","round":3,"evaluation":[{"name":"accuracy","mean":0.75,"count":4.0},
                           {"name":"none","mean":null,"count":0.0}]})"));
}

TEST(Monitor, AnOlderEvaluationIsNotTheNewest) {
  Fixture f;
  f.monitor.on_evaluated(RoundId(3), {{"accuracy", 3, 4}});
  f.monitor.on_evaluated(RoundId(2), {{"accuracy", 1, 4}});
  f.update(training({}));
  EXPECT_EQ(f.values.latest()->evaluation.at("accuracy"), 0.75);
  EXPECT_EQ(f.count("evaluation"), 2U);
}

TEST(Monitor, TheFirstCertificateThatExpiresIsKnown) {
  Fixture f;
  f.update(training({}), {0, 0, 0, 2, UtcSeconds{1'800'000'060}});
  EXPECT_EQ(f.values.latest()->certificates_expire_seconds, 60);
  f.now += std::chrono::seconds(1);
  f.update(training({}), {0, 0, 0, 2, utc_never});
  EXPECT_FALSE(f.values.latest()->certificates_expire_seconds);
}

TEST(LiveJson, NumbersThatAreNotFiniteAndUnknownOnesAreNull) {
  LiveState state;
  state.members.push_back({"\xff", "pending", 1.5, std::nullopt});
  state.eta_seconds = std::numeric_limits<double>::infinity();
  const json out = json::parse(json_of(state));
  EXPECT_TRUE(out["eta_seconds"].is_null());
  EXPECT_TRUE(out["rounds"].is_null());
  EXPECT_EQ(out["members"][0]["client"], "\xef\xbf\xbd");
  EXPECT_EQ(json_of(state).find('\n'), std::string::npos);
}

TEST(MonitorPages, ReadinessSaysWhyNoRoundCanStart) {
  LiveBoard live;
  ValuesBoard values;
  MonitorPages pages({live, values, [] { return HttpValues{}; }});
  const auto get = [&](const char* path) { return pages.handle({"GET", path, {}, {}, false}); };
  EXPECT_EQ(get("/healthz").status, 200U);
  EXPECT_EQ(get("/readyz").status, 503U);
  EXPECT_EQ(get("/readyz").body, "the run has not begun\n");
  LiveState state;
  state.phase = "gathering";
  state.needed = 3;
  state.ready = 1;
  state.connected = 2;
  live.set(state);
  EXPECT_EQ(get("/readyz").status, 503U);
  EXPECT_EQ(get("/readyz").body, "1 of 3 clients that a round needs are ready, 2 connected\n");
  state.ready = 3;
  live.set(state);
  EXPECT_EQ(get("/readyz").status, 200U);
  state.phase = "training";
  state.ready = 0;
  live.set(state);
  EXPECT_EQ(get("/readyz").status, 200U);
  EXPECT_EQ(get("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(get("/else").status, 404U);
}

TEST(OperatorCommands, AreTakenOnce) {
  OperatorCommands commands;
  EXPECT_FALSE(commands.take().stop_after_round);
  commands.stop_after_round();
  commands.stop_after_round();
  EXPECT_TRUE(commands.take().stop_after_round);
  EXPECT_FALSE(commands.take().stop_after_round);
}

}  // namespace
}  // namespace hansa::server
