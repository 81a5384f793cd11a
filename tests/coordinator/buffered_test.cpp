// Buffered aggregation: clients get tasks, and models are made of K updates.
#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using std::chrono::seconds;

CoordinatorConfig buffered_config(std::uint32_t updates = 2) {
  CoordinatorConfig c = small_config();
  c.settings.rounds = 10;
  c.settings.cohort.clients_min = 3;
  c.settings.cohort.mode = CohortMode::buffered;
  c.settings.cohort.buffered.updates = updates;
  return c;
}

// Three clients that have a task on model 0.
struct Three {
  Harness h;
  Peer a, b, c;
  explicit Three(const CoordinatorConfig& config = buffered_config())
      : h(config), a(h.connect("a")), b(h.connect("b")), c(h.connect("c")) {
    EXPECT_EQ(h.coordinator.phase(), Phase::in_round);
    for (const Peer* peer : {&a, &b, &c}) EXPECT_EQ(tasks(*peer).size(), 1U);
  }

  [[nodiscard]] std::vector<messages::TrainTask> tasks(const Peer& peer) const {
    return h.sent<messages::TrainTask>(peer);
  }
  [[nodiscard]] messages::Offer offer_of(const Peer& peer) const {
    messages::Offer offer;
    offer.task = tasks(peer).back().task;
    offer.update = checksum(std::string_view(peer.name + std::to_string(offer.task.value)));
    offer.bytes = h.config.model.elements * sizeof(float);
    offer.examples = 10;
    return offer;
  }
  // Sends the update of the peer's last task, and does not verify it.
  void upload(const Peer& peer) {
    const auto offer = offer_of(peer);
    ASSERT_EQ(h.say(peer, offer), Verdict::accepted);
    for (std::uint64_t at = 0; at < offer.bytes; at += 100)
      ASSERT_EQ(h.say(peer, messages::UpdateChunk{offer.task, at}, 100), Verdict::accepted) << at;
  }
  void finish(const Peer& peer) {
    upload(peer);
    ASSERT_EQ(h.check(peer.name), Verdict::accepted);
  }
  // CommitRound::fetched of each commit.
  [[nodiscard]] std::vector<std::vector<Digest>> fetched() const {
    std::vector<std::vector<Digest>> out;
    for (const Effect& effect : h.effects)
      if (const auto* commit = std::get_if<CommitRound>(&effect)) out.push_back(commit->fetched);
    return out;
  }
  [[nodiscard]] std::vector<messages::Receipt> receipts(const Peer& peer) const {
    return h.sent<messages::Receipt>(peer);
  }
};

TEST(Buffered, AClientThatReportedGetsAnotherTaskOnTheNewestModelAtOnce) {
  Three t;
  t.finish(t.a);
  ASSERT_EQ(t.receipts(t.a).size(), 1U);
  EXPECT_EQ(t.receipts(t.a)[0].verdict, messages::Verdict::counted);
  const auto tasks = t.tasks(t.a);
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_NE(tasks[1].task, tasks[0].task);
  EXPECT_NE(tasks[1].seed, tasks[0].seed);
  EXPECT_EQ(tasks[1].round, RoundId(1)) << "no newer model has been made";
  t.finish(t.a);
  EXPECT_EQ(t.h.coordinator.phase(), Phase::committing) << "both updates of the buffer may be of one client";
  EXPECT_EQ(t.tasks(t.a).size(), 2U) << "the next task is on the model that is being made";
  t.h.commit();
  ASSERT_EQ(t.tasks(t.a).size(), 3U);
  EXPECT_EQ(t.tasks(t.a)[2].round, RoundId(2));
  ASSERT_EQ(t.h.committed.size(), 1U);
  const RoundRecord& record = t.h.committed[0];
  ASSERT_EQ(record.arrivals.size(), 2U);
  EXPECT_EQ(record.arrivals[0], (Arrival{"a", RoundId(0), 0, 0, 65'536}));
  EXPECT_EQ(record.arrivals[1], (Arrival{"a", RoundId(0), 1, 0, 65'536}));
  ASSERT_EQ(record.participations.size(), 1U) << "a client has one line in the record";
  EXPECT_EQ(record.participations[0].examples, 20U);
}

TEST(Buffered, AClientHasAtMostTwiceAnEqualShareOfABuffer) {
  Three t(buffered_config(6));
  for (int update = 0; update < 4; ++update) t.finish(t.a);
  EXPECT_EQ(t.tasks(t.a).size(), 4U) << "2 * 6 / 3 of its updates are in the buffer";
  t.h.advance(seconds(2));
  EXPECT_EQ(t.tasks(t.a).size(), 4U);
  t.finish(t.b);
  t.finish(t.c);
  t.h.commit();
  ASSERT_EQ(t.h.committed.size(), 1U) << "the others fill it";
  EXPECT_EQ(t.tasks(t.a).size(), 5U);
  EXPECT_EQ(t.tasks(t.a).back().round, RoundId(2));
}

TEST(Buffered, AnUpdateThatIsCompleteDuringACommitWaitsForTheNextBuffer) {
  Three t;
  t.finish(t.a);
  t.finish(t.b);
  ASSERT_EQ(t.h.coordinator.phase(), Phase::committing);
  t.upload(t.c);
  EXPECT_EQ(t.h.all<CountUpdate>().size(), 2U) << "the sum is in use";
  EXPECT_TRUE(t.h.all<DropUpdate>().empty());
  EXPECT_TRUE(t.receipts(t.c).empty());
  t.h.commit();
  ASSERT_EQ(t.h.all<CountUpdate>().size(), 3U);
  EXPECT_EQ(t.h.check("c"), Verdict::accepted);
  ASSERT_EQ(t.receipts(t.c).size(), 1U);
  EXPECT_EQ(t.receipts(t.c)[0].verdict, messages::Verdict::counted);
  EXPECT_EQ(t.tasks(t.c).back().round, RoundId(2));
  t.finish(t.a);
  ASSERT_EQ(t.h.committed.size(), 2U);
  EXPECT_EQ(t.h.committed[1].arrivals[0], (Arrival{"c", RoundId(0), 0, 0, 65'536}))
      << "it arrived when no newer model had been made";
}

TEST(Buffered, AStaleUpdateCountsLess) {
  Three t;
  for (int model = 0; model < 3; ++model) {
    t.finish(t.a);
    t.finish(t.b);
    t.h.commit();
  }
  t.finish(t.c);
  t.finish(t.a);
  EXPECT_EQ(t.h.committed.back().arrivals[0], (Arrival{"c", RoundId(0), 0, 3, 32'768}));
  const auto counts = t.h.all<CountUpdate>();
  ASSERT_TRUE(counts[counts.size() - 2].terms);
  EXPECT_EQ(counts[counts.size() - 2].terms->weight, 32'768U);
  EXPECT_EQ(counts[counts.size() - 2].terms->full_weight, 65'536U);
}

TEST(Buffered, AClientBeyondTheLimitIsToldAndGetsANewTaskAtOnce) {
  auto config = buffered_config();
  config.settings.cohort.buffered.staleness_max = 0;
  Three t(config);
  const TaskId old = t.tasks(t.c)[0].task;
  t.finish(t.a);
  t.finish(t.b);
  t.h.commit();
  ASSERT_EQ(t.h.sent<messages::Cancel>(t.c).size(), 1U);
  EXPECT_EQ(t.h.sent<messages::Cancel>(t.c)[0].task, old);
  ASSERT_EQ(t.tasks(t.c).size(), 2U);
  // Its next update is finished, and waits for its turn.
  t.h.say(t.c, t.offer_of(t.c));
  t.finish(t.a);
  t.finish(t.b);
  t.h.commit();
  ASSERT_EQ(t.receipts(t.c).size(), 1U);
  EXPECT_EQ(t.receipts(t.c)[0].verdict, messages::Verdict::late);
  EXPECT_EQ(t.tasks(t.c).size(), 3U);
  // What is still on its way is discarded.
  EXPECT_EQ(t.h.say(t.c, messages::UpdateChunk{t.tasks(t.c)[1].task, 0}, 100), Verdict::discarded);
}

TEST(Buffered, AnUpdateThatCountedIsNotTakenAgain) {
  Three t;
  const auto offer = t.offer_of(t.a);
  t.finish(t.a);
  EXPECT_EQ(t.h.say(t.a, offer), Verdict::discarded);
  ASSERT_EQ(t.receipts(t.a).size(), 2U);
  EXPECT_EQ(t.receipts(t.a)[1].verdict, messages::Verdict::counted);
  EXPECT_EQ(t.h.all<OpenUpdate>().size(), 1U);
}

TEST(Buffered, AClientThatReconnectsIsSentItsTaskAndTheReceiptThatItMayHaveMissed) {
  Three t;
  const TaskId counted = t.tasks(t.a)[0].task;
  t.finish(t.a);
  const TaskId task = t.tasks(t.a).back().task;
  t.h.apply(PeerGone{t.a.peer});
  Peer again = t.h.peer("a");
  again.instance = t.a.instance;
  t.h.hello(again);
  ASSERT_EQ(t.receipts(again).size(), 1U);
  EXPECT_EQ(t.receipts(again)[0].task, counted);
  ASSERT_EQ(t.tasks(again).size(), 1U);
  EXPECT_EQ(t.tasks(again)[0].task, task);
}

TEST(Buffered, AClientThatNeverAnswersIsLeftOutAndDelaysNobody) {
  auto config = buffered_config();
  config.settings.cohort.clients_min = 2;
  config.settings.cohort.clients_expected = 3;
  Three t(config);
  for (int i = 0; i < 7; ++i) {
    t.finish(t.a);
    t.finish(t.b);
    t.h.commit();
    for (const Peer* peer : {&t.a, &t.b, &t.c}) t.h.say(*peer, messages::Ping{t.tasks(*peer).back().task});
    t.h.advance(seconds(10));
    for (const Peer* peer : {&t.a, &t.b, &t.c}) t.h.say(*peer, messages::Ping{t.tasks(*peer).back().task});
  }
  EXPECT_EQ(t.h.coordinator.last_committed(), RoundId(7));
  ASSERT_EQ(t.h.sent<messages::Cancel>(t.c).size(), 1U) << "at the deadline of 60 s";
  EXPECT_EQ(t.tasks(t.c).size(), 1U) << "it is left out for as long as it was waited for";
  EXPECT_EQ(t.h.coordinator.faults(t.h.now).size(), 1U);
}

TEST(Buffered, AModelIsServedWhileAClientFetchesItAlsoDuringAndAfterTheCommit) {
  Three t;
  const Digest model = sha256("model 0");
  ASSERT_EQ(t.h.say(t.c, messages::Pull{model, 0, 100}), Verdict::accepted);
  t.finish(t.a);
  t.finish(t.b);
  ASSERT_EQ(t.h.coordinator.phase(), Phase::committing);
  ASSERT_EQ(t.fetched().size(), 1U);
  EXPECT_EQ(t.fetched()[0], std::vector<Digest>{model});
  EXPECT_EQ(t.h.say(t.c, messages::Pull{model, 100, 100}), Verdict::accepted);
  t.h.commit();
  EXPECT_EQ(t.h.say(t.c, messages::Pull{model, 200, 800}), Verdict::accepted);
  t.finish(t.a);
  t.finish(t.b);
  ASSERT_EQ(t.fetched().size(), 2U);
  EXPECT_EQ(std::ranges::count(t.fetched()[1], model), 0) << "it has all of it";
}

TEST(Buffered, AClientThatWantsAModelThatIsGoneGetsATaskOnTheNewestOne) {
  Three t;
  t.h.advance(seconds(11));  // nobody has pulled anything
  t.finish(t.a);
  t.finish(t.b);
  EXPECT_TRUE(t.fetched().at(0).empty());
  t.h.commit();
  EXPECT_EQ(t.tasks(t.c).size(), 1U);
  EXPECT_EQ(t.h.say(t.c, messages::Pull{sha256("model 0"), 0, 100}), Verdict::discarded);
  EXPECT_EQ(t.h.sent<messages::Missing>(t.c).size(), 1U);
  ASSERT_EQ(t.tasks(t.c).size(), 2U);
  EXPECT_EQ(t.tasks(t.c)[1].round, RoundId(2));
}

TEST(Buffered, ARejectedUpdateEndsTheTaskAndTheNextOneWaitsAMoment) {
  Three t;
  t.upload(t.a);
  EXPECT_EQ(t.h.check("a", fail(ErrorCode::protocol, "update", "has a value that is not finite")),
            Verdict::rejected);
  ASSERT_EQ(t.receipts(t.a).size(), 1U);
  EXPECT_EQ(t.receipts(t.a)[0].verdict, messages::Verdict::rejected);
  EXPECT_EQ(t.tasks(t.a).size(), 1U);
  t.h.advance(seconds(2));
  EXPECT_EQ(t.tasks(t.a).size(), 2U);
}

TEST(Buffered, AnUpdateIsComparedWithTheLastOnes) {
  Three t(buffered_config(10));
  for (const double norm : {1.0, 3.0, 2.0}) {
    t.upload(t.a);
    EXPECT_EQ(t.h.all<CountUpdate>().back().terms->norm_max, std::numeric_limits<double>::infinity())
        << "of two, either may be the wrong one";
    EXPECT_EQ(t.h.apply(UpdateChecked{"a", {}, {norm}}), Verdict::accepted);
  }
  t.upload(t.b);
  EXPECT_EQ(t.h.all<CountUpdate>().back().terms->norm_max, 2.0 * t.h.config.settings.limits.norm_ratio_max);
  // Each refusal makes the comparison weaker: the updates of all clients may have grown.
  EXPECT_EQ(t.h.check("b", fail(ErrorCode::protocol, "update", "has a large norm")), Verdict::rejected);
  t.upload(t.c);
  EXPECT_EQ(t.h.all<CountUpdate>().back().terms->norm_max, std::numeric_limits<double>::infinity());
}

TEST(Buffered, AStopEndsItAndTheLastModelIsTheEnd) {
  Three stopped;
  stopped.finish(stopped.a);
  stopped.h.apply(StopAsked{});
  EXPECT_EQ(stopped.h.coordinator.phase(), Phase::finished);

  auto config = buffered_config();
  config.settings.rounds = 1;
  Three t(config);
  t.finish(t.a);
  t.finish(t.b);
  t.h.commit();
  ASSERT_EQ(t.h.finished.size(), 1U);
  EXPECT_EQ(t.h.finished[0].why, Finish::Why::all_rounds);
  EXPECT_EQ(t.h.sent<messages::Finished>(t.c).size(), 1U);
}

TEST(Buffered, TooFewClientsAreWaitedForAndNoTasksAreGiven) {
  auto config = buffered_config();
  config.settings.cohort.wait_max = seconds(30);
  Three t(config);
  t.h.say(t.c, messages::Bye{"leaves"});
  t.finish(t.a);
  EXPECT_EQ(t.tasks(t.a).size(), 1U) << "two of the three clients that are needed";
  t.h.advance(seconds(20));
  for (const Peer* peer : {&t.a, &t.b}) t.h.say(*peer, messages::Ping{});
  t.h.advance(seconds(12));
  ASSERT_EQ(t.h.finished.size(), 1U);
  EXPECT_EQ(t.h.finished[0].why, Finish::Why::gave_up);
}

}  // namespace
}  // namespace hansa::server::testing
