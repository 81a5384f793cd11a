// What an admitted client can do to rounds, to the log and to the coordinator's time.
#include <algorithm>

#include <gtest/gtest.h>

#include "server/selection/reliability.h"
#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Four clients; rounds go on with three of them.
CoordinatorConfig four_clients() {
  CoordinatorConfig config = small_config();
  config.settings.admitted = {"a", "b", "c", "mallory"};
  config.settings.cohort.clients_min = 3;
  config.settings.cohort.clients_expected = 4;
  config.settings.rounds = 100'000;
  return config;
}

const messages::Report refusal{{ReasonCode::refused, {}}};

struct Federation {
  explicit Federation(CoordinatorConfig config) : h(std::move(config)) {
    for (const char* const name : {"a", "b", "c"}) honest.push_back(h.connect(name));
    mallory = h.connect("mallory");
  }
  [[nodiscard]] bool has(const Peer& peer) const {
    const auto members = h.coordinator.progress(h.now).members;
    return std::ranges::any_of(members, [&](const auto& m) { return m.client == peer.name; });
  }
  [[nodiscard]] bool in_round() const { return h.coordinator.phase() == Phase::in_round; }
  // A round in which mallory says nothing but pings. Returns how long it took.
  Duration round_with_silent_mallory() {
    const Instant began = h.now;
    const auto committed = h.coordinator.last_committed();
    while (h.coordinator.last_committed() == committed && h.finished.empty()) {
      if (in_round())
        for (const Peer& peer : honest)
          if (!done(peer)) h.finish_task(peer);
      if (h.coordinator.phase() == Phase::committing) {
        h.commit();
        break;
      }
      for (const Peer& peer : honest) h.say(peer, messages::Pong{});
      h.say(mallory, messages::Pong{});
      h.advance(seconds(1));
    }
    return h.now - began;
  }
  [[nodiscard]] bool done(const Peer& peer) const {
    const auto members = h.coordinator.progress(h.now).members;
    return std::ranges::any_of(members, [&](const auto& m) {
      return m.client == peer.name && m.state != round::MemberState::pending;
    });
  }

  Harness h;
  std::vector<Peer> honest;
  Peer mallory;
};

TEST(AdversaryReliability, ASilentClientCostsItsDeadlineEverMoreSeldom) {
  Federation f(four_clients());
  ASSERT_TRUE(f.in_round());
  Duration lost{};
  int rounds = 0;
  const Instant began = f.h.now;
  while (f.h.now - began < seconds(60 * 60) && f.h.finished.empty()) {
    lost += f.round_with_silent_mallory();
    ++rounds;
    f.h.forget();
    // Between rounds some time passes: what a round takes without mallory.
    for (const Peer& peer : f.honest) f.h.say(peer, messages::Pong{});
    f.h.say(f.mallory, messages::Pong{});
    f.h.advance(seconds(1));
  }
  EXPECT_TRUE(f.h.finished.empty()) << f.h.finished[0].text;
  // Six attempts at most: 60, 60 x 4, 60 x 16 ... seconds apart.
  EXPECT_LT(lost, seconds(6 * 65));
  EXPECT_GT(rounds, 1'000 - 10);
}

TEST(AdversaryReliability, AClientThatDeclinesEveryTaskDoesNotEndTheRun) {
  CoordinatorConfig config = four_clients();
  config.settings.cohort.attempts_max = 3;
  Federation f(config);
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (f.in_round() && f.has(f.mallory))
      f.h.say(f.mallory, messages::Decline{f.h.task_of(f.mallory), refusal});
    if (f.in_round()) f.round_with_silent_mallory();
    f.h.advance(seconds(2));
    for (const Peer& peer : f.honest) f.h.say(peer, messages::Pong{});
    f.h.say(f.mallory, messages::Pong{});
  }
  EXPECT_TRUE(f.h.finished.empty());
  EXPECT_GE(f.h.coordinator.last_committed().value, 10U);
}

TEST(AdversaryReliability, AClientThatDeclinesIsSetAsideAndComesBack) {
  Federation f(four_clients());
  ASSERT_TRUE(f.has(f.mallory));
  f.h.say(f.mallory, messages::Decline{f.h.task_of(f.mallory), refusal});
  const auto lines = f.h.all<Log>();
  EXPECT_TRUE(std::ranges::any_of(lines, [](const Log& line) {
    return line.text.find("mallory declined: " + sentence(refusal) +
                          "; it is set aside for 2.0 s, or until") != std::string::npos;
  }));
  f.h.advance(milliseconds(1'500));
  ASSERT_TRUE(f.in_round());
  EXPECT_FALSE(f.has(f.mallory));
  f.h.advance(seconds(1));
  (void)f.round_with_silent_mallory();
  ASSERT_TRUE(f.in_round());
  EXPECT_TRUE(f.has(f.mallory));
}

TEST(AdversaryReliability, AFaultThatMostClientsShareEndsTheRunAfterTheAttempts) {
  CoordinatorConfig config = four_clients();
  config.settings.cohort.attempts_max = 2;
  Federation f(config);
  std::vector<Peer> all = f.honest;
  all.push_back(f.mallory);
  for (int i = 0; i < 20 && f.h.finished.empty(); ++i) {
    if (f.in_round())
      for (const Peer& peer : all)
        if (f.in_round() && f.has(peer)) f.h.say(peer, messages::Decline{f.h.task_of(peer), refusal});
    f.h.advance(seconds(3));
  }
  EXPECT_EQ(f.h.finished.size(), 1U);
}

TEST(AdversaryReliability, TricklingBytesHoldARoundForABoundedTime) {
  CoordinatorConfig config = four_clients();
  Federation f(config);
  for (const Peer& peer : f.honest) f.h.finish_task(peer);
  f.h.say(f.mallory, f.h.offer_of(f.mallory));
  std::uint64_t sent = 0;
  const Instant began = f.h.now;
  while (f.h.coordinator.progress(f.h.now).attempt == 1 && f.h.now - began < seconds(3'600)) {
    if (sent < 900) f.h.say(f.mallory, messages::UpdateChunk{f.h.task_of(f.mallory), sent}, 1);
    ++sent;
    for (const Peer& peer : f.honest) f.h.say(peer, messages::Pong{});
    f.h.advance(seconds(4));
  }
  EXPECT_LE(f.h.now - began, 5 * config.settings.cohort.deadline + seconds(10));
}

TEST(AdversaryReliability, FaultsGrowTheRestAndCountedRoundsForgetThem) {
  Reliability reliability;
  Instant now{std::chrono::hours(1)};
  EXPECT_EQ(reliability.on_fault("m", seconds(10), now), seconds(10));
  EXPECT_TRUE(reliability.rests("m", now + seconds(9)));
  EXPECT_FALSE(reliability.rests("m", now + seconds(10)));
  EXPECT_EQ(reliability.on_fault("m", seconds(10), now), seconds(40));
  EXPECT_EQ(reliability.on_fault("m", seconds(10), now), seconds(160));
  for (int i = 0; i < 20; ++i) (void)reliability.on_fault("m", seconds(10), now);
  EXPECT_EQ(reliability.rest_left("m", now), std::chrono::hours(24));
  for (int i = 0; i < 23 * 10; ++i) reliability.on_counted("m");
  EXPECT_EQ(reliability.faults("m"), 0U);
}

TEST(AdversaryReliability, AChangedKeyDoesNotMakeFaultsForgotten) {
  Federation f(four_clients());
  static_cast<void>(f.round_with_silent_mallory());
  ASSERT_FALSE(f.h.coordinator.progress(f.h.now).left_out.empty());
  f.h.apply(AdmissionChanged{{"a", "b", "c", "mallory"}, {"mallory"}});
  EXPECT_EQ(f.h.all<DisconnectClient>().size(), 1U) << "its connections with the former key end";
  f.mallory = f.h.connect("mallory");
  EXPECT_FALSE(f.h.coordinator.progress(f.h.now).left_out.empty());
}

TEST(AdversaryConduct, AFloodOfReportsWritesFewLinesAndEndsTheConnection) {
  Federation f(four_clients());
  f.h.forget();
  for (int i = 0; i < 10'000; ++i) {
    messages::DataReport report;
    report.examples = 10;
    report.notices = {{{ReasonCode::record_skipped, {{Quantity::line, static_cast<std::uint64_t>(i)}}}}};
    f.h.say(f.mallory, report);
  }
  EXPECT_LE(f.h.all<Log>().size(), 20U);
  EXPECT_FALSE(f.h.all<Disconnect>().empty());
  f.h.forget();
  for (const Peer& peer : f.honest) f.h.say(peer, messages::Pong{});
  f.h.advance(seconds(60));
  const auto lines = f.h.all<Log>();
  EXPECT_TRUE(std::ranges::any_of(
      lines, [](const Log& line) { return line.text.find("mallory: ... and ") != std::string::npos; }));
}

TEST(AdversaryConduct, HelloInALoopIsCutShort) {
  Federation f(four_clients());
  f.h.forget();
  for (int i = 0; i < 1'000; ++i) (void)f.h.hello(f.mallory);
  EXPECT_LE(f.h.sent<messages::Welcome>(f.mallory).size(), 31U);
  EXPECT_LE(f.h.all<Log>().size(), 20U);
  EXPECT_FALSE(f.h.all<Disconnect>().empty());
}

TEST(AdversaryConduct, MalformedMessagesEndTheConnection) {
  Federation f(four_clients());
  f.h.forget();
  const Error error{ErrorCode::protocol, "", "is not a message", ""};
  for (int i = 0; i < 10; ++i) f.h.apply(MessageMalformed{f.mallory.peer, "mallory", error});
  EXPECT_TRUE(f.h.all<Disconnect>().empty());
  f.h.apply(MessageMalformed{f.mallory.peer, "mallory", error});
  EXPECT_EQ(f.h.all<Disconnect>().size(), 1U);
  EXPECT_LE(f.h.all<Log>().size(), 8U);
}

TEST(AdversaryConduct, AnHonestFlowOfPingsIsNotLimited) {
  Federation f(four_clients());
  for (int i = 0; i < 2'000; ++i) {
    f.h.say(f.mallory, messages::Ping{});
    f.h.advance(milliseconds(500));
    f.h.forget();
  }
  EXPECT_TRUE(f.h.all<Disconnect>().empty());
}

TEST(AdversaryAdmission, ARemovedClientsSessionEndsAndItsUpdateIsNotAwaited) {
  Federation f(four_clients());
  ASSERT_TRUE(f.has(f.mallory));
  for (const Peer& peer : f.honest) f.h.finish_task(peer);
  f.h.forget();
  EXPECT_EQ(f.h.apply(AdmissionChanged{{"a", "b", "c"}, {"mallory"}}), Verdict::accepted);
  EXPECT_EQ(f.h.all<DisconnectClient>().size(), 1U);
  EXPECT_EQ(f.h.coordinator.progress(f.h.now).connected, 3U);
  // What it had sent before its connection ended opens no session.
  f.h.forget();
  EXPECT_EQ(f.h.hello(f.mallory), Verdict::rejected);
  EXPECT_TRUE(f.h.sent<messages::Welcome>(f.mallory).empty());
  f.h.advance(seconds(3));
  EXPECT_FALSE(f.has(f.mallory));
  EXPECT_TRUE(f.h.coordinator.progress(f.h.now).left_out.empty()) << "the operator's act is not its fault";
}

TEST(AdversaryAdmission, ARemovedClientThatIsAdmittedAgainTakesPart) {
  Federation f(four_clients());
  f.h.apply(AdmissionChanged{{"a", "b", "c"}, {"mallory"}});
  f.h.apply(AdmissionChanged{{"a", "b", "c", "mallory"}, {}});
  f.h.forget();
  EXPECT_EQ(f.h.hello(f.mallory), Verdict::accepted);
  EXPECT_EQ(f.h.coordinator.progress(f.h.now).connected, 4U);
}

TEST(AdversaryAdmission, AWaitingSecondConnectionOfARemovedClientEndsToo) {
  Federation f(four_clients());
  Peer second = f.h.peer("mallory");
  (void)f.h.hello(second);
  f.h.apply(AdmissionChanged{{"a", "b", "c"}, {"mallory"}});
  f.h.advance(seconds(5));
  EXPECT_EQ(f.h.coordinator.progress(f.h.now).connected, 3U);
}

}  // namespace
}  // namespace hansa::server::testing
