// What the aggregator's process notes of rounds, for the register.
#include "server/process/internal/round_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/messages/codec.h"

namespace hansa::server::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr UtcSeconds noon{1'796'000'000};

Participation counted(const std::string& client, std::uint64_t examples, double train_seconds) {
  Participation out;
  out.client = client;
  out.outcome = Outcome::counted;
  out.examples = examples;
  out.train_seconds = train_seconds;
  out.bytes_up = 700;
  out.bytes_down = 300;
  return out;
}
Participation lost(const std::string& client, Outcome outcome, const std::string& reason) {
  Participation out;
  out.client = client;
  out.outcome = outcome;
  out.reason = reason;
  out.bytes_down = 40;
  return out;
}

TEST(RoundHistory, ARoundGivesSpeedsBytesAndReasons) {
  RoundHistory history("run-7");
  RoundRecord record;
  record.round = RoundId(3);
  record.participations = {counted("a", 600, 2.0), counted("b", 0, 4.0),
                           lost("c", Outcome::late, "1 of 2 bytes"), lost("d", Outcome::no_answer, "")};
  // A record of a secure sum has no examples: the last report has them.
  history.on_committed(record, {{"a", 1'000}, {"b", 64}}, noon);
  const auto seen = history.take();
  EXPECT_EQ(seen.at("a").measures.examples_per_s, 300.0);
  EXPECT_EQ(seen.at("b").measures.examples_per_s, 16.0);
  EXPECT_EQ(seen.at("a").measures.bytes_up, 700U);
  EXPECT_EQ(seen.at("c").measures.bytes_down, 40U);
  EXPECT_FALSE(seen.at("c").measures.examples_per_s);
  ASSERT_EQ(seen.at("c").losses.size(), 1U);
  EXPECT_EQ(seen.at("c").losses[0].run, "run-7");
  EXPECT_EQ(seen.at("c").losses[0].round, RoundId(3));
  EXPECT_EQ(seen.at("c").losses[0].reason, "1 of 2 bytes");
  EXPECT_EQ(seen.at("d").losses[0].reason, name(Outcome::no_answer));
  EXPECT_TRUE(history.take().empty());
}

TEST(RoundHistory, AnUploadIsMeasuredByItsChunks) {
  RoundHistory history("run-7");
  const auto say = [&](const messages::ToAggregator& message, std::uint64_t bulk, Instant at) {
    history.on_message("a", messages::encode(SessionId(1), message), bulk, at);
  };
  messages::Offer offer;
  offer.bytes = 3'000;
  const Instant start(seconds(10));
  say(offer, 0, start);
  // It waits five seconds for other uploads before its first bytes.
  say(messages::UpdateChunk{}, 1'000, start + seconds(5));
  say(messages::UpdateChunk{}, 1'000, start + seconds(6));
  EXPECT_TRUE(history.take().empty());
  say(messages::UpdateChunk{}, 1'000, start + seconds(7));
  EXPECT_EQ(history.take().at("a").measures.upload_bytes_per_s, 1'000.0);
}

TEST(UploadMeter, AnUpdateThatArrivesAtOnceIsMeasuredFromItsOffer) {
  UploadMeter meter;
  const Instant start(seconds(10));
  meter.on_offer("a", 4'000, start);
  EXPECT_FALSE(meter.on_chunk("a", 2'000, start + milliseconds(400)));
  EXPECT_EQ(meter.on_chunk("a", 2'000, start + milliseconds(400)), 10'000.0);
  meter.on_offer("a", 4'000, start);
  EXPECT_EQ(meter.on_chunk("a", 4'000, start), 4'000'000.0) << "not infinite";
}

TEST(UploadMeter, BytesWithoutAnOfferAndInterruptedUploadsGiveNothing) {
  UploadMeter meter;
  const Instant start(seconds(10));
  EXPECT_FALSE(meter.on_chunk("a", 2'000, start));
  meter.on_offer("a", 4'000, start);
  EXPECT_FALSE(meter.on_chunk("a", 2'000, start + seconds(1)));
  // It resumes: the bytes before are not sent again.
  meter.on_offer("a", 4'000, start + seconds(2));
  EXPECT_FALSE(meter.on_chunk("a", 2'000, start + seconds(3)));
}

}  // namespace
}  // namespace hansa::server::internal
