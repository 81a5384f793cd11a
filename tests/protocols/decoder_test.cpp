// Hostile bytes give an error or a message whose fields are within their bounds, and never a crash.
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/protocols/allocation_watch.h"
#include "tests/protocols/samples.h"

namespace hansa::messages::testing {
namespace {

using Bytes = std::vector<std::byte>;

void put(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  ASSERT_LE(at + size, bytes.size());
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

void expect_error(const Bytes& frame, std::string_view text, ErrorCode code = ErrorCode::protocol) {
  const auto decoded = decode(frame);
  ASSERT_FALSE(decoded) << "decoded as " << name(decoded->message);
  EXPECT_EQ(decoded.error().code, code);
  EXPECT_NE(decoded.error().what.find(text), std::string::npos) << decoded.error().what;
}

// A decoded message must match its bytes: it encodes to the same bytes.
void expect_error_or_round_trip(const Bytes& frame) {
  const auto decoded = decode(frame);
  if (!decoded) return;
  EXPECT_EQ(encode(decoded->session, decoded->message), frame);
}

constexpr std::size_t body = header_bytes + 1;  // offset after the byte-order flag

TEST(Decoder, EveryTruncationIsAnError) {
  for (const auto& sample : samples()) {
    const Bytes whole = encode(sample.session, sample.message);
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(decode(std::span(whole).first(size)))
          << name(sample.message) << " of " << size << " bytes";
  }
}

TEST(Decoder, TrailingBytesAreAnError) {
  for (const auto& sample : samples()) {
    Bytes frame = encode(sample.session, sample.message);
    frame.push_back(std::byte{0});
    expect_error(frame, "bytes after its last field");
  }
}

TEST(Decoder, EveryBitFlipIsAnErrorOrAnotherMessage) {
  for (const auto& sample : samples()) {
    const Bytes whole = encode(sample.session, sample.message);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Bytes frame = whole;
      frame[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      expect_error_or_round_trip(frame);
    }
  }
}

TEST(Decoder, RandomBytesAreHarmless) {
  for (std::uint64_t seed = 0; seed < 100'000; ++seed) {
    Random random(seed);
    Bytes frame(random.below(160));
    for (auto& byte : frame) byte = static_cast<std::byte>(random.below(256));
    if (frame.size() > header_bytes) {
      // A valid header, so that the decoder reaches the bodies.
      put(frame, 0, 'H' | 'N' << 8 | protocol_version << 16, 3);
      put(frame, 3, random.below(std::variant_size_v<Message> + 1), 1);
      put(frame, header_bytes, 1, 1);
    }
    expect_error_or_round_trip(frame);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(Decoder, RandomMutationsOfValidMessagesAreHarmless) {
  const auto all = samples();
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    const auto& sample = all[random.below(all.size())];
    Bytes frame = encode(sample.session, sample.message);
    for (std::uint64_t i = 0; i <= random.below(4); ++i)
      frame[header_bytes + random.below(frame.size() - header_bytes)] =
          static_cast<std::byte>(random.below(256));
    expect_error_or_round_trip(frame);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(Decoder, AnotherVersionIsReportedTogetherWithThisOne) {
  Bytes frame = encode(SessionId(), Ping{});
  frame[2] = std::byte{9};
  expect_error(frame, "protocol version 9, this side speaks 5", ErrorCode::refused);
  EXPECT_EQ(version_of(frame), 9);
  // The header decides: the body of another version may be anything.
  frame.resize(header_bytes);
  expect_error(frame, "protocol version 9, this side speaks 5", ErrorCode::refused);
}

TEST(Decoder, OtherProtocolsAreNotHansaMessages) {
  expect_error({}, "not a Hansa message");
  Bytes frame = encode(SessionId(), Ping{});
  frame[0] = std::byte{'G'};
  expect_error(frame, "not a Hansa message");
  EXPECT_EQ(version_of(frame), 0);
}

TEST(Decoder, AnUnknownTypeIsAnError) {
  Bytes frame = encode(SessionId(), Ping{});
  for (unsigned type = std::variant_size_v<Message>; type < 256; ++type) {
    frame[3] = static_cast<std::byte>(type);
    expect_error(frame, "unknown message type");
  }
}

TEST(Decoder, AnyOtherByteOrderFlagIsAnError) {
  for (const auto& sample : samples()) {
    Bytes frame = encode(sample.session, sample.message);
    for (unsigned flag = 0; flag < 256; ++flag) {
      if (flag == 1) continue;
      frame[header_bytes] = static_cast<std::byte>(flag);
      expect_error(frame, "not little-endian");
    }
  }
}

TEST(Decoder, AFrameAboveTheMaximumIsAnError) {
  expect_error(Bytes(message_bytes_max + 1), "larger than 64 KiB");
}

TEST(Decoder, AHostileTextLengthAllocatesNothingOfItsSize) {
  for (const std::uint64_t size : {std::uint64_t{65}, std::uint64_t{1} << 20, std::uint64_t{0xffffffff}}) {
    Bytes frame = encode(SessionId(), Hello{"harbour", 1, "hansa", {2, 0, "", ""}});
    put(frame, body, size, 4);
    hansa::testing::restart_allocation_watch();
    const auto decoded = decode(frame);
    const std::size_t largest = hansa::testing::largest_allocation();
    EXPECT_FALSE(decoded) << size;
    EXPECT_LT(largest, 4096U) << size;
  }
}

TEST(Decoder, AHostileMetricsCountAllocatesNothingOfItsSize) {
  constexpr std::size_t count_at = body + 8 + 16 + 8 + 8 + 8;
  for (const std::uint64_t count : {std::uint64_t{metrics_max + 1}, std::uint64_t{0xffffffff}}) {
    Bytes frame = encode(SessionId(), Offer{});
    put(frame, count_at, count, 4);
    hansa::testing::restart_allocation_watch();
    const auto decoded = decode(frame);
    const std::size_t largest = hansa::testing::largest_allocation();
    ASSERT_FALSE(decoded);
    EXPECT_NE(decoded.error().what.find("more than 64 metrics"), std::string::npos) << decoded.error().what;
    EXPECT_LT(largest, 4096U);
  }
}

TEST(Decoder, AHostileListOfSharesAllocatesNothingOfItsSize) {
  constexpr std::size_t count_at = body + 8 + 32;
  for (const Message& empty : {Message(EncryptedShares{}), Message(UnmaskShares{}), Message(SurvivorSet{}),
                               Message(UnmaskRequest{}), Message(ShareDelivery{})}) {
    for (const std::uint64_t count : {std::uint64_t{502}, std::uint64_t{0xffffffff}}) {
      Bytes frame = encode(SessionId(), empty);
      put(frame, count_at, count, 4);
      hansa::testing::restart_allocation_watch();
      const auto decoded = decode(frame);
      const std::size_t largest = hansa::testing::largest_allocation();
      ASSERT_FALSE(decoded) << name(empty);
      EXPECT_NE(decoded.error().what.find("a list is longer than"), std::string::npos)
          << decoded.error().what;
      EXPECT_LT(largest, 4096U) << name(empty);
    }
  }
}

TEST(Decoder, TheLargestListsOfSharesFitIntoAMessage) {
  const Message largest[] = {
      EncryptedShares{TaskId(1), {}, std::vector<secure_aggregation::SealedShares>(501)},
      ShareDelivery{
          TaskId(1), {}, std::vector<std::uint8_t>(125), std::vector<secure_aggregation::SealedShares>(501)},
      UnmaskRequest{
          TaskId(1), {}, std::vector<std::uint8_t>(125), std::vector<secure_aggregation::SignedBy>(501)},
      UnmaskShares{TaskId(1), {}, std::vector<std::array<std::uint8_t, 32>>(501)}};
  for (const Message& message : largest) EXPECT_TRUE(decode(encode(SessionId(1), message))) << name(message);
}

TEST(Decoder, NumbersThatAreNotFiniteAreRefused) {
  const std::size_t train_seconds_at = body + 8 + 16 + 8 + 8;
  const std::size_t learning_rate_at = body + 8 + 4 + 32 + 8 + 32 + 8 + 16 + 32 + 4 + 4;
  const auto all = samples();
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    Bytes offer = encode(SessionId(), Offer{});
    put(offer, train_seconds_at, bits, 8);
    expect_error(offer, "not finite");
    auto plain = std::get<TrainTask>(all[Message(TrainTask{}).index()].message);
    plain.secure.reset();
    plain.compression.reset();
    plain.deltas.reset();
    const Bytes task = encode(SessionId(), plain);
    for (std::size_t field = 0; field < 3; ++field) {
      Bytes frame = task;
      put(frame, learning_rate_at + 8 * field, bits, 8);
      expect_error(frame, "not finite");
    }
    Bytes magnitude = task;
    put(magnitude, task.size() - 11, bits,
        8);  // before three flags: no deltas, no codecs, no secure aggregation
    expect_error(magnitude, "not finite");
    Offer metric;
    metric.metrics = {{"loss", 1, 1}};
    Bytes frame = encode(SessionId(), metric);
    put(frame, frame.size() - 32 - 8, bits, 8);
    expect_error(frame, "not finite");
  }
}

TEST(Decoder, NumbersOutOfRangeAreRefused) {
  const auto session = SessionId(1);
  expect_error(encode(session, Pull{{}, 0, 0}), "out of range");
  expect_error(encode(session, Pull{{}, 0, pull_bytes_max + 1}), "out of range");
  expect_error(encode(session, Pull{{}, (1ULL << 40) + 1, 1}), "out of range");
  expect_error(encode(session, Welcome{"a", "b", 99, 1024}), "out of range");
  expect_error(encode(session, Welcome{"a", "b", 30'000, 3}), "out of range");
  expect_error(encode(session, Welcome{"a", "b", 30'000, bulk_bytes_max + 1}), "out of range");
  expect_error(encode(session, Grant{TaskId(1), 0, (1ULL << 40) + 1}), "out of range");
  expect_error(encode(session, TrainTask{}), "out of range");  // an empty archive
  EXPECT_TRUE(decode(encode(session, Pull{{}, 1ULL << 40, pull_bytes_max})));
}

TEST(Decoder, UnknownEnumeratorsAreRefused) {
  Bytes refuse = encode(SessionId(), Refuse{});
  put(refuse, body, static_cast<std::uint64_t>(RefuseReason::out_of_order) + 1, 1);
  expect_error(refuse, "enumerator");
  Bytes receipt = encode(SessionId(), Receipt{});
  put(receipt, body + 8, static_cast<std::uint64_t>(Verdict::late) + 1, 1);
  expect_error(receipt, "enumerator");
}

TEST(Encoder, LongTextsAndListsAreCutToWhatADecoderAccepts) {
  const auto bye = decode(encode(SessionId(1), Bye{std::string(5'000, 'x')}));
  ASSERT_TRUE(bye);
  EXPECT_EQ(std::get<Bye>(bye->message).reason, std::string(text_bytes_max, 'x'));
  Offer offer;
  offer.metrics.assign(metrics_max + 9, {std::string(99, 'm'), 1, 2});
  const auto cut = decode(encode(SessionId(1), offer));
  ASSERT_TRUE(cut);
  ASSERT_EQ(std::get<Offer>(cut->message).metrics.size(), metrics_max);
  EXPECT_EQ(std::get<Offer>(cut->message).metrics[0].name, std::string(name_bytes_max, 'm'));
}

}  // namespace
}  // namespace hansa::messages::testing
