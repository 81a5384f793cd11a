// Golden vectors. A change to them needs a new protocol version. HANSA_WRITE_GOLDEN=1 rewrites the file.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/protocols/samples.h"

namespace hansa::messages::testing {
namespace {

const std::string golden_path = std::string(HANSA_GOLDEN_FOLDER) + "/messages.txt";

// "name = hex" lines; '#' starts a comment line. Anything else is an error.
std::map<std::string, std::string> read_golden() {
  std::ifstream file(golden_path);
  EXPECT_TRUE(file) << golden_path;
  std::map<std::string, std::string> out;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    const auto equals = line.find(" = ");
    if (equals == std::string::npos) {
      ADD_FAILURE() << "no \" = \" in: " << line;
      continue;
    }
    EXPECT_TRUE(out.emplace(line.substr(0, equals), line.substr(equals + 3)).second) << "twice: " << line;
  }
  return out;
}

void write_golden() {
  std::ofstream file(golden_path, std::ios::trunc);
  file << "# One frame of each message, protocol version " << int{protocol_version} << ": docs/protocol.md.\n"
       << "# The values are those of tests/protocols/samples.cpp.\n";
  for (const auto& frame : frames()) file << frame.type.name << " = " << to_hex(frame.bytes) << '\n';
  ASSERT_TRUE(file.flush()) << golden_path;
}

TEST(Golden, EveryMessageEncodesToItsVectorAndEveryVectorIsRead) {
  if (std::getenv("HANSA_WRITE_GOLDEN") != nullptr) write_golden();
  auto golden = read_golden();
  for (const auto& frame : frames()) {
    const std::string type(frame.type.name);
    ASSERT_TRUE(golden.contains(type)) << type << " has no golden vector";
    EXPECT_EQ(to_hex(frame.bytes), golden[type]) << type;
    golden.erase(type);
  }
  for (const auto& [type, hex] : golden) ADD_FAILURE() << "no test uses the golden vector " << type;
}

// A vector decodes to the message of the sample. Each sample value differs from the field's default: a field that was
// not read would encode to another one.
template <class Messages>
void expect_decodes(const Envelope<Messages>& sample, const Decoded<Messages>& decoded,
                    const std::string& hex) {
  const Type type = type_of(sample.message);
  ASSERT_TRUE(decoded) << type.name << ": " << decoded.error().text();
  const auto* envelope = std::get_if<Envelope<Messages>>(&*decoded);
  ASSERT_NE(envelope, nullptr) << type.name;
  EXPECT_EQ(envelope->session, sample.session);
  EXPECT_EQ(envelope->message.index(), sample.message.index());
  EXPECT_EQ(to_hex(encode(envelope->session, envelope->message)), hex);
}

TEST(Golden, EveryVectorDecodesToItsMessage) {
  auto golden = read_golden();
  for (const auto& sample : samples_to_client()) {
    const std::string hex = golden[std::string(type_of(sample.message).name)];
    expect_decodes(sample, decode_to_client(from_hex(hex)), hex);
  }
  for (const auto& sample : samples_to_aggregator()) {
    const std::string hex = golden[std::string(type_of(sample.message).name)];
    expect_decodes(sample, decode_to_aggregator(from_hex(hex)), hex);
  }
}

TEST(Golden, TheSamplesHoldEachTypeOnceInOrder) {
  const auto to_client = samples_to_client();
  ASSERT_EQ(to_client.size(), std::variant_size_v<ToClient>);
  for (std::size_t i = 0; i < to_client.size(); ++i) EXPECT_EQ(to_client[i].message.index(), i);
  const auto to_aggregator = samples_to_aggregator();
  ASSERT_EQ(to_aggregator.size(), std::variant_size_v<ToAggregator>);
  for (std::size_t i = 0; i < to_aggregator.size(); ++i) EXPECT_EQ(to_aggregator[i].message.index(), i);
  const auto all = frames();
  ASSERT_EQ(all.size(), types_count);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].type.number, i);
}

TEST(Golden, TheSpecificationNamesTheCurrentVersionOnce) {
  std::ifstream file(std::string(HANSA_GOLDEN_FOLDER) + "/../../../docs/protocol.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::string named = "**The current version is " + std::to_string(protocol_version) + ".**";
  EXPECT_NE(text.find(named), std::string::npos);
  for (std::size_t at = 0; (at = text.find("version ", at)) != std::string::npos; ++at) {
    const char next = text[at + 8];
    EXPECT_FALSE(next >= '0' && next <= '9') << text.substr(at, 40);
  }
}

// The next four vectors are written by hand from docs/protocol.md, not by the encoder.
TEST(Golden, PingMatchesTheSpecification) {
  const std::string by_hand =
      "48 4e"  // H N
      "0b 0d"  // version 11, type 13
      "08 07 06 05 04 03 02 01"  // session
      "01"  // little-endian
      "18 17 16 15 14 13 12 11";  // task
  EXPECT_EQ(to_hex(encode(SessionId(0x0102030405060708ULL), ToClient(Ping{TaskId(0x1112131415161718ULL)}))),
            to_hex(from_hex(by_hand)));
}

TEST(Golden, WelcomeMatchesTheSpecification) {
  const std::string by_hand =
      "48 4e 0b 01 08 07 06 05 04 03 02 01 01"
      "06 00 00 00 71 75 61 79 2d 31"  // "quay-1"
      "05 00 00 00 72 75 6e 2d 31"  // "run-1"
      "30 75 00 00"  // 30,000 ms
      "00 00 04 00"  // 262,144 bytes
      "00";  // no contract
  EXPECT_EQ(to_hex(encode(SessionId(0x0102030405060708ULL), Welcome{"quay-1", "run-1", 30'000, 262'144})),
            to_hex(from_hex(by_hand)));
}

TEST(Golden, ReceiptMatchesTheSpecification) {
  const std::string by_hand =
      "48 4e 0b 0c 08 07 06 05 04 03 02 01 01"
      "18 17 16 15 14 13 12 11"  // task
      "01"  // rejected
      "02 00 00 00 6e 6f";  // "no"
  const Receipt receipt{TaskId(0x1112131415161718ULL), Verdict::rejected, "no"};
  EXPECT_EQ(to_hex(encode(SessionId(0x0102030405060708ULL), receipt)), to_hex(from_hex(by_hand)));
}

TEST(Golden, OfferMatchesTheSpecification) {
  Offer offer;
  offer.task = TaskId(1);
  for (std::size_t i = 0; i < 16; ++i) offer.update.bytes[i] = static_cast<std::uint8_t>(i);
  offer.bytes = 8;
  offer.examples = 3;
  offer.train_seconds = 0.5;
  offer.metrics = {{"loss", -2.0, 3.0}};
  const std::string by_hand =
      "48 4e 0b 09 00 00 00 00 00 00 00 00 01"
      "01 00 00 00 00 00 00 00"
      "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f"
      "08 00 00 00 00 00 00 00"
      "03 00 00 00 00 00 00 00"
      "00 00 00 00 00 00 e0 3f"  // 0.5
      "01 00 00 00"  // one metric
      "04 00 00 00 6c 6f 73 73"  // "loss"
      "00 00 00 00 00 00 00 c0"  // -2
      "00 00 00 00 00 00 08 40"  // 3
      "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
  EXPECT_EQ(to_hex(encode(SessionId(), offer)), to_hex(from_hex(by_hand)));
}

TEST(Golden, EveryRefuseReasonHasItsOwnName) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(RefuseReason::out_of_order); ++i)
    names.insert(name(static_cast<RefuseReason>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(RefuseReason::out_of_order) + 1);
}

}  // namespace
}  // namespace hansa::messages::testing
