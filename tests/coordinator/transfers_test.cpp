// Models out by pull, updates in by grant.
#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using messages::RefuseReason;
using std::chrono::seconds;

struct Pair {
  Harness h;
  Peer a;
  Peer b;
  explicit Pair(const CoordinatorConfig& config = small_config())
      : h(config), a(h.connect("a")), b(h.connect("b")) {
    EXPECT_EQ(h.coordinator.phase(), Phase::in_round);
    h.forget();
  }
};

TEST(Pull, IsAnsweredInChunksUpToTheEnd) {
  Pair p;
  EXPECT_EQ(p.h.say(p.a, messages::Pull{sha256("model 0"), 800, 400}), Verdict::accepted);
  const auto blobs = p.h.all<SendBlob>();
  ASSERT_EQ(blobs.size(), 2U);
  EXPECT_EQ(blobs[0].offset, 800U);
  EXPECT_EQ(blobs[0].bytes, 100U);
  EXPECT_EQ(blobs[1].offset, 900U);
  EXPECT_EQ(blobs[1].bytes, 100U);
  p.h.forget();
  EXPECT_EQ(p.h.say(p.a, messages::Pull{p.h.config.model.archive, 200, 100}), Verdict::accepted);
  ASSERT_EQ(p.h.all<SendBlob>().size(), 1U);
  EXPECT_EQ(p.h.all<SendBlob>()[0].bytes, 50U) << "the tail of the archive";
}

TEST(Pull, BeyondTheEndEndsTheSession) {
  Pair p;
  EXPECT_EQ(p.h.say(p.a, messages::Pull{sha256("model 0"), 1'000, 1}), Verdict::rejected);
  EXPECT_TRUE(p.h.refused(p.a, RefuseReason::out_of_order));
  EXPECT_TRUE(p.h.all<SendBlob>().empty());
}

TEST(Pull, OfAnOldOrUnknownModelIsMissing) {
  Pair p;
  p.h.finish_task(p.a);
  p.h.finish_task(p.b);
  p.h.commit();
  p.h.forget();
  EXPECT_EQ(p.h.say(p.a, messages::Pull{sha256("model 0"), 0, 1}), Verdict::discarded);
  EXPECT_EQ(p.h.say(p.a, messages::Pull{sha256("no such"), 0, 1}), Verdict::discarded);
  EXPECT_EQ(p.h.sent<messages::Missing>(p.a).size(), 2U);
  EXPECT_EQ(p.h.say(p.a, messages::Pull{sha256("model 1"), 0, 1}), Verdict::accepted);
}

TEST(Offer, OfAWrongSizeIsRejectedForTheRound) {
  Pair p;
  auto offer = p.h.offer_of(p.a);
  offer.bytes += 4;
  EXPECT_EQ(p.h.say(p.a, offer), Verdict::rejected);
  ASSERT_EQ(p.h.sent<messages::Receipt>(p.a).size(), 1U);
  EXPECT_EQ(p.h.sent<messages::Receipt>(p.a)[0].verdict, messages::Verdict::rejected);
  EXPECT_TRUE(p.h.all<OpenUpdate>().empty());
}

TEST(Offer, OfNoOrTooManyExamplesIsRejected) {
  for (const std::uint64_t examples : {std::uint64_t{0}, std::uint64_t{(1 << 20) + 1}, ~std::uint64_t{0}}) {
    auto config = small_config();
    config.settings.cohort.quorum = 0.5;
    Pair p(config);
    auto offer = p.h.offer_of(p.a);
    offer.examples = examples;
    EXPECT_EQ(p.h.say(p.a, offer), Verdict::rejected) << examples;
    // A second, valid offer does not undo it.
    EXPECT_EQ(p.h.say(p.a, p.h.offer_of(p.a)), Verdict::discarded);
    const auto receipts = p.h.sent<messages::Receipt>(p.a);
    ASSERT_EQ(receipts.size(), 2U);
    EXPECT_EQ(receipts[1].verdict, messages::Verdict::rejected);
  }
}

TEST(Offer, OfAnotherTaskIsLate) {
  Pair p;
  auto offer = p.h.offer_of(p.a);
  offer.task = TaskId(99);
  EXPECT_EQ(p.h.say(p.a, offer), Verdict::discarded);
  ASSERT_EQ(p.h.sent<messages::Receipt>(p.a).size(), 1U);
  EXPECT_EQ(p.h.sent<messages::Receipt>(p.a)[0].verdict, messages::Verdict::late);
}

TEST(Offer, ARepeatedOneIsAnsweredOnce) {
  Pair p;
  EXPECT_EQ(p.h.say(p.a, p.h.offer_of(p.a)), Verdict::accepted);
  EXPECT_EQ(p.h.say(p.a, p.h.offer_of(p.a)), Verdict::discarded);
  EXPECT_EQ(p.h.sent<messages::Grant>(p.a).size(), 1U);
}

TEST(Offer, ACountedUpdateThatIsOfferedAgainIsCountedOnce) {
  Pair p;
  p.h.finish_task(p.a);
  p.h.forget();
  EXPECT_EQ(p.h.say(p.a, p.h.offer_of(p.a)), Verdict::discarded);
  ASSERT_EQ(p.h.sent<messages::Receipt>(p.a).size(), 1U);
  EXPECT_EQ(p.h.sent<messages::Receipt>(p.a)[0].verdict, messages::Verdict::counted);
  EXPECT_TRUE(p.h.all<CountUpdate>().empty());
}

// Encoded updates have no fixed size. A spool that was created for few bytes must not receive many.
TEST(Offer, OfTheSameChecksumAndAnotherSizeStartsAgain) {
  auto config = small_config();
  config.compression.uplink = std::make_shared<const codecs::Plan>(
      *codecs::Plan::create({{config.model.elements, *codecs::parse_spec("q8", "test"), 0}}));
  Pair p(config);
  auto offer = p.h.offer_of(p.a);
  offer.bytes = 150;
  EXPECT_EQ(p.h.say(p.a, offer), Verdict::accepted);
  EXPECT_EQ(p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), 0}, 100), Verdict::accepted);
  ASSERT_EQ(p.h.hello(p.a), Verdict::accepted);
  offer.bytes = config.compression.uplink->encoded_bytes_max();
  p.h.forget();
  EXPECT_EQ(p.h.say(p.a, offer), Verdict::accepted);
  EXPECT_EQ(p.h.all<DropUpdate>().size(), 1U);
  ASSERT_EQ(p.h.all<OpenUpdate>().size(), 1U);
  EXPECT_EQ(p.h.all<OpenUpdate>()[0].ticket.bytes, offer.bytes);
  EXPECT_EQ(p.h.sent<messages::Grant>(p.a).at(0).offset, 0U);
  offer.bytes += 1;
  EXPECT_EQ(p.h.say(p.a, offer), Verdict::rejected);
}

CoordinatorConfig config_with_memory_for_one() {
  auto config = small_config();
  config.model.elements = 600'000;
  config.settings.limits.spool_memory_mib = 4;
  config.process.chunk_bytes = 1 << 20;
  return config;
}

TEST(Upload, WaitsAMomentForMemoryAndThenUsesAFile) {
  Pair p(config_with_memory_for_one());
  EXPECT_EQ(p.h.say(p.a, p.h.offer_of(p.a)), Verdict::accepted);
  EXPECT_EQ(p.h.say(p.b, p.h.offer_of(p.b)), Verdict::accepted);
  EXPECT_EQ(p.h.sent<messages::Grant>(p.a).size(), 1U);
  EXPECT_TRUE(p.h.sent<messages::Grant>(p.b).empty());
  p.h.advance(std::chrono::milliseconds(490));
  EXPECT_TRUE(p.h.sent<messages::Grant>(p.b).empty());
  p.h.advance(std::chrono::milliseconds(20));
  EXPECT_EQ(p.h.sent<messages::Grant>(p.b).size(), 1U);
}

TEST(Upload, IsGrantedAsSoonAsThereIsMemory) {
  Pair p(config_with_memory_for_one());
  EXPECT_EQ(p.h.say(p.a, p.h.offer_of(p.a)), Verdict::accepted);
  EXPECT_EQ(p.h.say(p.b, p.h.offer_of(p.b)), Verdict::accepted);
  EXPECT_EQ(p.h.upload(p.a), 2'400'000U);
  EXPECT_TRUE(p.h.sent<messages::Grant>(p.b).empty()) << "the other one is still in memory";
  EXPECT_EQ(p.h.check("a"), Verdict::accepted);
  EXPECT_EQ(p.h.sent<messages::Grant>(p.b).size(), 1U);
}

// So that a client on a slow link, with many bytes in flight, does not consider the transfer stalled.
TEST(Upload, ThatIsInFlightForALongTimeIsSentEmptyGrants) {
  auto config = small_config();
  config.model.elements = 1'000'000;
  config.process.chunk_bytes = 128 * 1024;
  Pair p(config);
  EXPECT_EQ(p.h.say(p.a, p.h.offer_of(p.a)), Verdict::accepted);
  EXPECT_EQ(p.h.sent<messages::Grant>(p.a).size(), 1U);
  EXPECT_EQ(p.h.sent<messages::Grant>(p.a)[0].limit, 256U * 1024);
  p.h.forget();
  for (std::uint64_t i = 0; i < 4; ++i) {
    p.h.advance(seconds(6));
    EXPECT_EQ(p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), i * 10'000}, 10'000), Verdict::accepted);
  }
  const auto grants = p.h.sent<messages::Grant>(p.a);
  ASSERT_EQ(grants.size(), 4U);
  for (const auto& grant : grants) {
    EXPECT_EQ(grant.offset, 256U * 1024);
    EXPECT_EQ(grant.limit, 256U * 1024) << "no credit: what is on its way is more than the link holds";
  }
}

TEST(Upload, IsSpooledCheckedAndCounted) {
  Pair p;
  EXPECT_EQ(p.h.say(p.a, p.h.offer_of(p.a)), Verdict::accepted);
  EXPECT_EQ(p.h.upload(p.a), 1'000U);
  EXPECT_EQ(p.h.all<OpenUpdate>().size(), 1U);
  EXPECT_EQ(p.h.all<AppendUpdate>().size(), 10U);
  EXPECT_EQ(p.h.all<CountUpdate>().size(), 1U);
  ASSERT_EQ(p.h.all<OpenUpdate>().size(), 1U);
  EXPECT_EQ(p.h.all<OpenUpdate>()[0].ticket.checksum, p.h.offer_of(p.a).update);
  EXPECT_TRUE(p.h.sent<messages::Receipt>(p.a).empty()) << "nothing is counted before it is checked";
  EXPECT_EQ(p.h.check("a"), Verdict::accepted);
  EXPECT_EQ(p.h.sent<messages::Receipt>(p.a).size(), 1U);
  EXPECT_TRUE(p.h.all<DropUpdate>().empty()) << "CountUpdate has released it";
  EXPECT_EQ(p.h.check("a"), Verdict::discarded) << "doubled";
  EXPECT_EQ(p.h.check("nobody"), Verdict::discarded);
}

TEST(Upload, ThatFailsItsCheckIsRejected) {
  auto config = small_config();
  config.settings.cohort.quorum = 0.5;
  Pair p(config);
  p.h.say(p.a, p.h.offer_of(p.a));
  p.h.upload(p.a);
  EXPECT_EQ(p.h.check("a", fail(ErrorCode::protocol, "a", "digest")), Verdict::rejected);
  EXPECT_EQ(p.h.sent<messages::Receipt>(p.a)[0].verdict, messages::Verdict::rejected);
  p.h.finish_task(p.b);
  ASSERT_EQ(p.h.committed.size(), 1U);
  EXPECT_EQ(p.h.committed[0].participations[0].outcome, Outcome::rejected);
}

TEST(Upload, ChunksThatWereNotGrantedAreAViolation) {
  Pair p;
  EXPECT_EQ(p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), 0}, 100), Verdict::rejected);
  EXPECT_TRUE(p.h.refused(p.a, RefuseReason::out_of_order));
  EXPECT_TRUE(p.h.all<AppendUpdate>().empty());
}

TEST(Upload, AViolationEndsTheSessionAndTheNextResumesAtTheSpooledOffset) {
  struct Bad {
    std::uint64_t offset, bytes;
  };
  // Out of order, repeated, too large, empty.
  for (const auto& bad : {Bad{300, 100}, Bad{100, 100}, Bad{200, 101}, Bad{200, 0}}) {
    Pair p;
    SCOPED_TRACE(std::to_string(bad.offset) + " " + std::to_string(bad.bytes));
    p.h.say(p.a, p.h.offer_of(p.a));
    p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), 0}, 100);
    p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), 100}, 100);
    EXPECT_EQ(p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), bad.offset}, bad.bytes),
              Verdict::rejected);
    EXPECT_EQ(p.h.all<AppendUpdate>().size(), 2U);
    Peer again = p.h.connect("a");
    p.h.forget();
    EXPECT_EQ(p.h.say(again, p.h.offer_of(again)), Verdict::accepted);
    const auto grants = p.h.sent<messages::Grant>(again);
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].offset, 200U);
    EXPECT_TRUE(p.h.all<OpenUpdate>().empty());
    EXPECT_EQ(p.h.upload(again, 200), 800U);
    EXPECT_EQ(p.h.all<CountUpdate>().size(), 1U);
  }
}

TEST(Upload, ADifferentUpdateAfterAReconnectStartsFromTheBeginning) {
  Pair p;
  p.h.say(p.a, p.h.offer_of(p.a, 1));
  p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), 0}, 100);
  p.h.apply(PeerGone{p.a.peer});
  Peer again = p.h.connect("a");
  p.h.forget();
  p.h.say(again, p.h.offer_of(again, 2));
  EXPECT_EQ(p.h.all<DropUpdate>().size(), 1U);
  EXPECT_EQ(p.h.all<OpenUpdate>().size(), 1U);
  EXPECT_EQ(p.h.upload(again), 1'000U);
  EXPECT_EQ(p.h.all<CountUpdate>().size(), 1U);
  ASSERT_EQ(p.h.all<OpenUpdate>().size(), 1U);
  EXPECT_EQ(p.h.all<OpenUpdate>()[0].ticket.checksum, p.h.offer_of(again, 2).update);
}

TEST(Upload, OnlyTheMaximumAtATimeAndTheNextFollows) {
  auto config = small_config();
  config.settings.limits.uploads_max = 1;
  Pair p(config);
  p.h.say(p.a, p.h.offer_of(p.a));
  p.h.say(p.b, p.h.offer_of(p.b));
  EXPECT_TRUE(p.h.sent<messages::Grant>(p.b).empty());
  EXPECT_EQ(p.h.upload(p.a), 1'000U);
  EXPECT_EQ(p.h.sent<messages::Grant>(p.b).size(), 1U);
}

TEST(Upload, ASlotIsFreeAgainWhenItsClientLeavesDeclinesOrIsRejected) {
  for (int way = 0; way < 3; ++way) {
    SCOPED_TRACE(way);
    auto config = small_config();
    config.settings.limits.uploads_max = 1;
    config.settings.cohort.quorum = 0.5;
    Pair p(config);
    p.h.say(p.a, p.h.offer_of(p.a));
    p.h.say(p.b, p.h.offer_of(p.b));
    if (way == 0) p.h.say(p.a, messages::Bye{"bye"});
    if (way == 1) p.h.say(p.a, messages::Decline{p.h.task_of(p.a), {}});
    if (way == 2) {
      auto wrong = p.h.offer_of(p.a);
      wrong.bytes = 4;
      p.h.say(p.a, wrong);
    }
    EXPECT_EQ(p.h.sent<messages::Grant>(p.b).size(), 1U);
    EXPECT_EQ(p.h.upload(p.b), 1'000U);
  }
}

// An upload that was cut by the end of its round gave its slot back a second time when its client, no
// longer in the cohort, came back in a later round: then no slot was left for anybody.
TEST(Upload, ASlotOfAClosedRoundIsNotGivenBackInALaterOne) {
  auto config = small_config();
  config.settings.cohort.clients_min = 3;
  config.settings.cohort.quorum = 0.3;
  config.settings.cohort.size_max = 3;
  config.process.lease = std::chrono::hours(2);
  config.settings.limits.uploads_max = 2;
  Harness h(config);
  Peer a = h.connect("a");
  Peer b = h.connect("b");
  Peer c = h.connect("c");
  h.say(a, h.offer_of(a));  // granted, and never sent
  h.finish_task(b);
  h.advance(config.settings.cohort.deadline);
  ASSERT_EQ(h.coordinator.phase(), Phase::committing);
  h.apply(PeerGone{a.peer});  // so it is not in the next cohort
  Peer d = h.connect("d");
  h.commit();
  ASSERT_EQ(h.coordinator.phase(), Phase::in_round);
  a = h.connect("a");
  h.finish_task(c);
  h.finish_task(b);
  h.finish_task(d);
  EXPECT_EQ(h.coordinator.phase(), Phase::committing);
}

TEST(Upload, AQueueOfOffersStaysInOrderThroughNewSessions) {
  auto config = small_config();
  config.settings.cohort.clients_min = 4;
  config.settings.cohort.quorum = 0.5;
  config.settings.limits.uploads_max = 1;
  Harness h(config);
  Peer a = h.connect("a");
  Peer b = h.connect("b");
  Peer c = h.connect("c");
  Peer d = h.connect("d");
  for (Peer* p : {&a, &b, &c}) h.say(*p, h.offer_of(*p));
  // A client whose transfer makes no progress starts its session again. It keeps its place in the queue and does not
  // get a second one.
  for (int i = 0; i < 20; ++i) {
    h.hello(b);
    h.say(b, h.offer_of(b));
  }
  h.say(d, h.offer_of(d));
  const auto granted = [&](const Peer& p) { return h.sent<messages::Grant>(p).size(); };
  h.forget();
  h.say(a, messages::Bye{"bye"});
  EXPECT_EQ(granted(b), 1U);
  EXPECT_EQ(granted(c) + granted(d), 0U);
  h.hello(b);
  EXPECT_EQ(granted(c), 1U);
  h.say(b, h.offer_of(b));  // again: behind d
  h.say(c, messages::Bye{"bye"});
  EXPECT_EQ(granted(d), 1U);
  EXPECT_EQ(granted(b), 1U);
}

TEST(Upload, BytesOfAnEarlierAttemptAreNoViolation) {
  auto config = small_config();
  config.process.lease = std::chrono::hours(1);
  Pair p(config);
  p.h.say(p.a, p.h.offer_of(p.a));
  p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), 0}, 100);
  p.h.advance(config.settings.cohort.deadline + seconds(2));
  ASSERT_EQ(p.h.coordinator.progress(p.h.now).attempt, 2U);
  ASSERT_EQ(p.h.coordinator.phase(), Phase::in_round);
  EXPECT_EQ(p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), 100}, 100), Verdict::discarded);
  EXPECT_EQ(p.h.say(p.a, messages::Ping{p.h.task_of(p.a)}), Verdict::accepted);
}

TEST(Upload, ChunksAndOffersAfterTheRoundAreLateAndHarmless) {
  auto config = small_config();
  config.settings.cohort.quorum = 0.5;
  Pair p(config);
  p.h.say(p.a, p.h.offer_of(p.a));
  p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), 0}, 100);
  p.h.finish_task(p.b);
  p.h.say(p.a, messages::Pong{});
  for (int i = 0; i < 4; ++i) {  // both stay alive to the deadline
    p.h.advance(config.settings.cohort.deadline / 4);
    p.h.say(p.a, messages::Pong{});
    p.h.say(p.b, messages::Pong{});
  }
  ASSERT_EQ(p.h.coordinator.phase(), Phase::committing);
  EXPECT_EQ(p.h.committed[0].participations[0].outcome, Outcome::late);
  EXPECT_EQ(p.h.say(p.a, messages::UpdateChunk{p.h.task_of(p.a), 100}, 100), Verdict::discarded);
  p.h.forget();
  EXPECT_EQ(p.h.say(p.a, p.h.offer_of(p.a)), Verdict::discarded);
  ASSERT_EQ(p.h.sent<messages::Receipt>(p.a).size(), 1U);
  EXPECT_EQ(p.h.sent<messages::Receipt>(p.a)[0].verdict, messages::Verdict::late);
}

}  // namespace
}  // namespace hansa::server::testing
