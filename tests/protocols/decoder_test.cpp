// Hostile bytes give an error or a message whose fields are within their bounds, and never a crash.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

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
  const auto expect = [&](const auto& decoded) {
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, code);
    EXPECT_NE(decoded.error().what.find(text), std::string::npos) << decoded.error().what;
  };
  expect(decode_to_client(frame));
  expect(decode_to_aggregator(frame));
}

bool decodes(std::span<const std::byte> frame) {
  const auto to_client = decode_to_client(frame);
  EXPECT_EQ(to_client.has_value(), decode_to_aggregator(frame).has_value())
      << "the direction is another question";
  return to_client.has_value();
}

template <class Messages>
void expect_round_trip(const Decoded<Messages>& decoded, const Bytes& frame) {
  const auto* envelope = std::get_if<Envelope<Messages>>(&*decoded);
  if (envelope == nullptr) return;
  EXPECT_EQ(encode(envelope->session, envelope->message), frame);
}

// A decoded message must match its bytes: it encodes to the same bytes.
void expect_error_or_round_trip(const Bytes& frame) {
  if (!decodes(frame)) return;
  expect_round_trip(decode_to_client(frame), frame);
  expect_round_trip(decode_to_aggregator(frame), frame);
}

constexpr std::size_t body = header_bytes + 1;  // offset after the byte-order flag

TEST(Decoder, EveryTruncationIsAnError) {
  for (const auto& sample : frames())
    for (std::size_t size = 0; size < sample.bytes.size(); ++size)
      EXPECT_FALSE(decodes(std::span(sample.bytes).first(size)))
          << sample.type.name << " of " << size << " bytes";
}

TEST(Decoder, TrailingBytesAreAnError) {
  for (const auto& sample : frames()) {
    Bytes frame = sample.bytes;
    frame.push_back(std::byte{0});
    expect_error(frame, "bytes after its last field");
  }
}

TEST(Decoder, EveryBitFlipIsAnErrorOrAnotherMessage) {
  for (const auto& sample : frames()) {
    for (std::size_t bit = 0; bit < sample.bytes.size() * 8; ++bit) {
      Bytes frame = sample.bytes;
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
      // A valid header, so that the bodies are reached.
      put(frame, 0, 'H' | 'N' << 8 | protocol_version << 16, 3);
      put(frame, 3, random.below(types_count + 1), 1);
      put(frame, header_bytes, 1, 1);
    }
    expect_error_or_round_trip(frame);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(Decoder, RandomMutationsOfValidMessagesAreHarmless) {
  const auto all = frames();
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    Bytes frame = all[random.below(all.size())].bytes;
    for (std::uint64_t i = 0; i <= random.below(4); ++i)
      frame[header_bytes + random.below(frame.size() - header_bytes)] =
          static_cast<std::byte>(random.below(256));
    expect_error_or_round_trip(frame);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(Decoder, AnotherVersionIsReportedTogetherWithThisOne) {
  Bytes frame = encode(SessionId(), ToClient(Ping{}));
  const int other = protocol_version + 1;
  const std::string expected =
      "protocol version " + std::to_string(other) + ", this side speaks " + std::to_string(protocol_version);
  frame[2] = static_cast<std::byte>(other);
  expect_error(frame, expected, ErrorCode::refused);
  EXPECT_EQ(version_of(frame), other);
  // The header decides: the body of another version may be anything.
  frame.resize(header_bytes);
  expect_error(frame, expected, ErrorCode::refused);
}

TEST(Decoder, OtherProtocolsAreNotHansaMessages) {
  expect_error({}, "not a Hansa message");
  Bytes frame = encode(SessionId(), ToClient(Ping{}));
  frame[0] = std::byte{'G'};
  expect_error(frame, "not a Hansa message");
  EXPECT_EQ(version_of(frame), 0);
}

TEST(Decoder, AnUnknownTypeIsAnError) {
  Bytes frame = encode(SessionId(), ToClient(Ping{}));
  for (unsigned type = types_count; type < 256; ++type) {
    frame[3] = static_cast<std::byte>(type);
    expect_error(frame, "unknown message type");
  }
}

TEST(Decoder, AnyOtherByteOrderFlagIsAnError) {
  for (const auto& sample : frames()) {
    Bytes frame = sample.bytes;
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
    Bytes frame = encode(SessionId(), Hello{"harbour", 1, "hansa", {2, 0, {}, {}}});
    put(frame, body, size, 4);
    hansa::testing::restart_allocation_watch();
    const auto decoded = decode_to_aggregator(frame);
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
    const auto decoded = decode_to_aggregator(frame);
    const std::size_t largest = hansa::testing::largest_allocation();
    ASSERT_FALSE(decoded);
    EXPECT_NE(decoded.error().what.find("more than 64 metrics"), std::string::npos) << decoded.error().what;
    EXPECT_LT(largest, 4096U);
  }
}

TEST(Decoder, AHostileListOfSharesAllocatesNothingOfItsSize) {
  constexpr std::size_t count_at = body + 8 + 32;
  const std::pair<std::string_view, Bytes> empty_frames[] = {
      {"EncryptedShares", encode(SessionId(), EncryptedShares{})},
      {"UnmaskShares", encode(SessionId(), UnmaskShares{})},
      {"SurvivorSet", encode(SessionId(), SurvivorSet{})},
      {"UnmaskRequest", encode(SessionId(), UnmaskRequest{})},
      {"ShareDelivery", encode(SessionId(), ShareDelivery{})}};
  for (const auto& [name, empty] : empty_frames) {
    for (const std::uint64_t count : {std::uint64_t{502}, std::uint64_t{0xffffffff}}) {
      Bytes frame = empty;
      put(frame, count_at, count, 4);
      hansa::testing::restart_allocation_watch();
      const auto decoded = decode_to_client(frame);
      const std::size_t largest = hansa::testing::largest_allocation();
      ASSERT_FALSE(decoded) << name;
      EXPECT_NE(decoded.error().what.find("a list is longer than"), std::string::npos)
          << decoded.error().what;
      EXPECT_LT(largest, 4096U) << name;
    }
  }
}

TEST(Decoder, TheLargestListsOfSharesFitIntoAMessage) {
  const std::vector<secure_aggregation::SealedShares> sealed(501);
  const std::vector<std::uint8_t> subset(125);
  EXPECT_TRUE(decodes(encode(SessionId(1), EncryptedShares{TaskId(1), {}, sealed})));
  EXPECT_TRUE(decodes(encode(SessionId(1), ShareDelivery{TaskId(1), {}, subset, sealed})));
  EXPECT_TRUE(decodes(encode(
      SessionId(1), UnmaskRequest{TaskId(1), {}, subset, std::vector<secure_aggregation::SignedBy>(501)})));
  EXPECT_TRUE(decodes(
      encode(SessionId(1), UnmaskShares{TaskId(1), {}, std::vector<std::array<std::uint8_t, 32>>(501)})));
}

TEST(Decoder, NumbersThatAreNotFiniteAreRefused) {
  const std::size_t train_seconds_at = body + 8 + 16 + 8 + 8;
  const auto all = samples_to_client();
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    Bytes offer = encode(SessionId(), Offer{});
    put(offer, train_seconds_at, bits, 8);
    expect_error(offer, "not finite");
    auto plain = std::get<TrainTask>(all[ToClient(TrainTask{}).index()].message);
    plain.secure.reset();
    plain.compression.reset();
    plain.hold_out.reset();
    const Bytes task = encode(SessionId(), plain);
    Bytes magnitude = task;
    put(magnitude, task.size() - 11, bits, 8);  // before three flags: no hold-out, no codecs, no secure sum
    expect_error(magnitude, "not finite");
    plain.hold_out = {value, Measure::yes};
    expect_error(encode(SessionId(), plain), "not finite");
    plain.hold_out.reset();
    plain.method.options = {{"learning_rate", value}};
    expect_error(encode(SessionId(), plain), "not finite");
    Offer metric;
    metric.metrics = {{"loss", 1, 1}};
    Bytes frame = encode(SessionId(), metric);
    put(frame, frame.size() - 32 - 8, bits, 8);
    expect_error(frame, "not finite");
  }
}

TrainTask small_task() {
  TrainTask task;
  task.archive_bytes = 1;
  task.inputs = {{"model", {}, 4, {}, {}}};
  task.method.name = "sgd";
  task.outputs = {{"delta", 1, {}}};
  return task;
}

TEST(Decoder, ATaskHasInputsAndOutputsAndNotTooMany) {
  const auto session = SessionId(1);
  TrainTask task = small_task();
  task.inputs.clear();
  expect_error(encode(session, task), "a list is empty");
  task = small_task();
  task.outputs.clear();
  expect_error(encode(session, task), "a list is empty");
  task = small_task();
  task.inputs.resize(inputs_max, task.inputs[0]);
  task.outputs.resize(outputs_max, task.outputs[0]);
  task.method.options.resize(options_max, {"an option", std::int64_t{1}});
  EXPECT_TRUE(decodes(encode(session, task)));
  task.inputs.push_back(task.inputs[0]);
  expect_error(encode(session, task), "a list is longer than 16");
  task = small_task();
  task.outputs.resize(outputs_max + 1, task.outputs[0]);
  expect_error(encode(session, task), "a list is longer than 16");
  task = small_task();
  task.method.options.resize(options_max + 1, {"an option", std::int64_t{1}});
  expect_error(encode(session, task), "a list is longer than 64");
}

TEST(Decoder, EachTypeOfOptionIsReadBackAndAnUnknownOneIsRefused) {
  const OptionValue values[] = {std::int64_t{-5}, 0.25, std::string("nearest"),
                                std::vector<std::string>{"head.*", ""}};
  TrainTask task = small_task();
  for (const OptionValue& value : values) {
    task.method.options = {{"option", value}};
    const Bytes frame = encode(SessionId(1), task);
    const auto decoded = decode_to_client(frame);
    ASSERT_TRUE(decoded) << decoded.error().what;
    EXPECT_EQ(std::get<TrainTask>(std::get<Envelope<ToClient>>(*decoded).message).method, task.method);
  }
  task.method.options = {{"option", std::int64_t{7}}};
  Bytes frame = encode(SessionId(1), task);
  const std::string name = "option";
  const auto at = std::search(frame.begin(), frame.end(), name.begin(), name.end(),
                              [](std::byte a, char b) { return std::to_integer<char>(a) == b; });
  ASSERT_NE(at, frame.end());
  *(at + static_cast<std::ptrdiff_t>(name.size())) = std::byte{4};
  expect_error(frame, "the type of a value is unknown");
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
  Welcome welcome{"a", "b", 30'000, 1024, DataContract{.shape = {0}}};
  expect_error(encode(session, welcome), "out of range");
  welcome.contract = DataContract{.minimum = {HUGE_VAL}};
  expect_error(encode(session, welcome), "not finite");
  welcome.contract = DataContract{.columns = std::vector<std::string>(contract_columns_max + 1, "x")};
  expect_error(encode(session, welcome), "a list is longer than 1024");
  welcome.contract = DataContract{.target = static_cast<TargetType>(3)};
  expect_error(encode(session, welcome), "enumerator");
  TrainTask task = small_task();
  EXPECT_TRUE(decodes(encode(session, task)));
  task.archive_bytes = 0;
  expect_error(encode(session, task), "out of range");
  task = small_task();
  task.outputs[0].values = 0;
  expect_error(encode(session, task), "out of range");
  task = small_task();
  task.inputs[0].bytes = (1ULL << 40) + 4;
  expect_error(encode(session, task), "out of range");
  EXPECT_TRUE(decodes(encode(session, Pull{{}, 1ULL << 40, pull_bytes_max})));
}

TEST(Decoder, UnknownEnumeratorsAreRefused) {
  Bytes refuse = encode(SessionId(), Refuse{});
  put(refuse, body, static_cast<std::uint64_t>(RefuseReason::out_of_order) + 1, 1);
  expect_error(refuse, "enumerator");
  Bytes receipt = encode(SessionId(), Receipt{});
  put(receipt, body + 8, static_cast<std::uint64_t>(Verdict::summed) + 1, 1);
  expect_error(receipt, "enumerator");
}

TEST(Encoder, LongTextsAndListsAreTruncatedToWhatADecoderAccepts) {
  const auto bye = decode_to_client(encode(SessionId(1), ToClient(Bye{std::string(5'000, 'x')})));
  ASSERT_TRUE(bye);
  EXPECT_EQ(std::get<Bye>(std::get<Envelope<ToClient>>(*bye).message).reason,
            std::string(text_bytes_max, 'x'));
  Offer offer;
  offer.metrics.assign(metrics_max + 9, {std::string(99, 'm'), 1, 2});
  const auto decoded = decode_to_aggregator(encode(SessionId(1), offer));
  ASSERT_TRUE(decoded);
  const Offer cut = std::get<Offer>(std::get<Envelope<ToAggregator>>(*decoded).message);
  ASSERT_EQ(cut.metrics.size(), metrics_max);
  EXPECT_EQ(cut.metrics[0].name, std::string(name_bytes_max, 'm'));
}

// Which side accepts each message: the column "from" of docs/protocol.md.
TEST(Direction, EveryTypeIsForTheSideThatTheSpecificationNames) {
  struct Row {
    std::string_view name;
    char from;  // 'C': the client, 'A': the aggregator, 'b': both
  };
  const Row table[types_count] = {{"Hello", 'C'},         {"Welcome", 'A'},     {"Refuse", 'A'},
                                  {"TrainTask", 'A'},     {"Cancel", 'A'},      {"Decline", 'C'},
                                  {"Pull", 'C'},          {"BlobChunk", 'A'},   {"Missing", 'A'},
                                  {"Offer", 'C'},         {"Grant", 'A'},       {"UpdateChunk", 'C'},
                                  {"Receipt", 'A'},       {"Ping", 'b'},        {"Pong", 'b'},
                                  {"Finished", 'A'},      {"Bye", 'b'},         {"DataReport", 'C'},
                                  {"KeyAdvert", 'C'},     {"KeyRoster", 'A'},   {"EncryptedShares", 'C'},
                                  {"ShareDelivery", 'A'}, {"SurvivorSet", 'A'}, {"SurvivorSignature", 'C'},
                                  {"UnmaskRequest", 'A'}, {"UnmaskShares", 'C'}};
  const auto all = frames();
  ASSERT_EQ(all.size(), types_count);
  const auto expect = [](const auto& decoded, const Frame& frame, bool arrives) {
    ASSERT_TRUE(decoded);
    const auto* misdirected = std::get_if<Misdirected>(&*decoded);
    ASSERT_EQ(misdirected == nullptr, arrives);
    if (misdirected == nullptr) return;
    EXPECT_EQ(misdirected->type.name, frame.type.name);
    EXPECT_EQ(misdirected->session, frame.session);
  };
  for (std::size_t i = 0; i < types_count; ++i) {
    SCOPED_TRACE(table[i].name);
    EXPECT_EQ(all[i].type.name, table[i].name);
    expect(decode_to_aggregator(all[i].bytes), all[i], table[i].from != 'A');
    expect(decode_to_client(all[i].bytes), all[i], table[i].from != 'C');
  }
}

TEST(Direction, AMisdirectedMessageWithADamagedBodyIsMalformed) {
  Bytes frame = encode(SessionId(1), Grant{TaskId(1), 0, 9});
  frame.pop_back();
  const auto decoded = decode_to_aggregator(frame);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().what.find("cut short"), std::string::npos);
}

}  // namespace
}  // namespace hansa::messages::testing
