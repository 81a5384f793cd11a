// Uploads alone: states and events as docs/round.md lists them.
#include <gtest/gtest.h>

#include "server/coordinator/internal/sessions.h"
#include "server/coordinator/internal/uploads.h"

namespace hansa::server {
namespace {

class UploadsMachine : public ::testing::Test {
 protected:
  template <class Act>
  auto act(Act work) {
    Turn turn(now, effects, sessions);
    return work(turn);
  }
  // What a client asks of the machine, each with its own turn.
  Verdict offer(const std::string& client, std::uint64_t bytes = 300, std::uint8_t content = 1) {
    return act([&](Turn& turn) {
      return uploads.on_offer(
          {client, 0, bytes, checksum(std::string_view(client + std::to_string(content))), 10, 7}, TaskId(5),
          turn);
    });
  }
  Uploads::ChunkOutcome chunk(const std::string& client, std::uint64_t offset, std::uint64_t bytes) {
    return act([&](Turn& turn) { return uploads.on_chunk(client, offset, bytes, turn); });
  }
  template <class T>
  std::size_t count() const {
    return static_cast<std::size_t>(std::count_if(
        effects.begin(), effects.end(), [](const Effect& e) { return std::holds_alternative<T>(e); }));
  }

  Instant now{std::chrono::hours(1)};
  Sessions sessions{{}, 1};
  Uploads uploads{{1, 1'000, 100}};
  std::vector<Effect> effects;
};

TEST_F(UploadsMachine, AnOfferIsGrantedAppendedAndCounted) {
  EXPECT_EQ(uploads.state("a"), UploadState::none);
  EXPECT_EQ(offer("a"), Verdict::accepted);
  EXPECT_EQ(uploads.state("a"), UploadState::granted);
  EXPECT_EQ(count<OpenUpdate>(), 1U);
  for (const std::uint64_t at : {0, 100}) {
    const auto outcome = chunk("a", at, 100);
    EXPECT_EQ(outcome.verdict, Verdict::accepted);
    EXPECT_FALSE(outcome.completed);
  }
  EXPECT_TRUE(chunk("a", 200, 100).completed);
  EXPECT_EQ(uploads.state("a"), UploadState::complete);
  EXPECT_EQ(count<AppendUpdate>(), 3U);
  EXPECT_TRUE(uploads.is_open("a"));
  uploads.on_checked("a");
  EXPECT_FALSE(uploads.is_open("a"));
  EXPECT_EQ(count<DropUpdate>(), 0U) << "the shell has released it";
}

TEST_F(UploadsMachine, AsManyAsTheLimitSendAtTheSameTime) {
  offer("a");
  offer("b");
  EXPECT_EQ(uploads.state("b"), UploadState::waiting);
  EXPECT_EQ(offer("b"), Verdict::discarded) << "it waits already";
  uploads.release("a");
  act([&](Turn& turn) { uploads.grant_waiting(turn); });
  EXPECT_EQ(uploads.state("a"), UploadState::none);
  EXPECT_EQ(uploads.state("b"), UploadState::granted);
}

TEST_F(UploadsMachine, BytesOutOfTurnAreViolations) {
  EXPECT_EQ(chunk("a", 0, 100).verdict, Verdict::rejected) << "nothing was offered";
  offer("a");
  EXPECT_EQ(chunk("a", 100, 100).verdict, Verdict::rejected) << "out of order";
  EXPECT_EQ(chunk("a", 0, 0).verdict, Verdict::rejected) << "empty";
  EXPECT_EQ(chunk("a", 0, 101).verdict, Verdict::rejected) << "longer than a chunk";
  offer("b");
  EXPECT_EQ(chunk("b", 0, 100).verdict, Verdict::rejected) << "not granted";
  EXPECT_EQ(count<AppendUpdate>(), 0U);
}

TEST_F(UploadsMachine, TheSameUpdateContinuesAndAnotherOneStartsAgain) {
  offer("a");
  (void)chunk("a", 0, 100);
  uploads.release("a");
  EXPECT_EQ(offer("a"), Verdict::accepted);
  EXPECT_EQ(uploads.received("a"), 100U);
  EXPECT_EQ(count<OpenUpdate>(), 1U);
  uploads.release("a");
  EXPECT_EQ(offer("a", 300, 2), Verdict::accepted);
  EXPECT_EQ(count<DropUpdate>(), 1U);
  EXPECT_EQ(count<OpenUpdate>(), 2U);
  EXPECT_EQ(uploads.received("a"), 0U);
}

TEST_F(UploadsMachine, AnUploadWithoutRoomInMemoryWaitsOnlyForALimitedTime) {
  Uploads two({2, 350, 100});
  std::swap(uploads, two);
  offer("a");
  offer("b");
  EXPECT_EQ(uploads.state("b"), UploadState::waiting);
  const Instant due = uploads.next_tick();
  EXPECT_GT(due, now);
  now = due;
  act([&](Turn& turn) { uploads.grant_waiting(turn); });
  EXPECT_EQ(uploads.state("b"), UploadState::granted);
}

TEST_F(UploadsMachine, TheEndOfTheRoundDropsAll) {
  offer("a");
  offer("b");
  act([&](Turn& turn) { uploads.drop_all(turn); });
  EXPECT_EQ(count<DropUpdate>(), 1U);
  EXPECT_EQ(uploads.state("a"), UploadState::none);
  EXPECT_EQ(uploads.state("b"), UploadState::none);
  EXPECT_EQ(uploads.next_tick(), Instant::max());
  EXPECT_EQ(offer("b"), Verdict::accepted);
  EXPECT_EQ(uploads.state("b"), UploadState::granted);
}

}  // namespace
}  // namespace hansa::server
