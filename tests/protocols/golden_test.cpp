// Golden vectors. A change to them needs a new protocol version. HANSA_WRITE_GOLDEN=1 rewrites the file.
#include <cstdlib>
#include <fstream>
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
  for (const auto& sample : samples())
    file << name(sample.message) << " = " << to_hex(encode(sample.session, sample.message)) << '\n';
  ASSERT_TRUE(file.flush()) << golden_path;
}

TEST(Golden, EveryMessageEncodesToItsVectorAndEveryVectorIsRead) {
  if (std::getenv("HANSA_WRITE_GOLDEN") != nullptr) write_golden();
  auto golden = read_golden();
  for (const auto& sample : samples()) {
    const std::string type(name(sample.message));
    ASSERT_TRUE(golden.contains(type)) << type << " has no golden vector";
    EXPECT_EQ(to_hex(encode(sample.session, sample.message)), golden[type]) << type;
    golden.erase(type);
  }
  for (const auto& [type, hex] : golden) ADD_FAILURE() << "no test uses the golden vector " << type;
}

TEST(Golden, EveryVectorDecodesToItsMessage) {
  auto golden = read_golden();
  for (const auto& sample : samples()) {
    const std::string hex = golden[std::string(name(sample.message))];
    const auto decoded = decode(from_hex(hex));
    ASSERT_TRUE(decoded) << name(sample.message) << ": " << decoded.error().text();
    EXPECT_EQ(decoded->session, sample.session);
    EXPECT_EQ(decoded->message.index(), sample.message.index());
    // Each sample value differs from the field's default, so a field that was not read would encode differently.
    EXPECT_EQ(to_hex(encode(decoded->session, decoded->message)), hex);
  }
}

TEST(Golden, TheSamplesHaveEachTypeOnceInOrder) {
  const auto all = samples();
  ASSERT_EQ(all.size(), std::variant_size_v<Message>);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].message.index(), i);
}

// The next four vectors are written by hand from docs/protocol.md, not by the encoder.
TEST(Golden, PingMatchesTheSpecification) {
  const std::string by_hand =
      "48 4e"  // H N
      "05 0d"  // version 5, type 13
      "08 07 06 05 04 03 02 01"  // session
      "01"  // little-endian
      "18 17 16 15 14 13 12 11";  // task
  EXPECT_EQ(to_hex(encode(SessionId(0x0102030405060708ULL), Ping{TaskId(0x1112131415161718ULL)})),
            to_hex(from_hex(by_hand)));
}

TEST(Golden, WelcomeMatchesTheSpecification) {
  const std::string by_hand =
      "48 4e 05 01 08 07 06 05 04 03 02 01 01"
      "06 00 00 00 71 75 61 79 2d 31"  // "quay-1"
      "05 00 00 00 72 75 6e 2d 31"  // "run-1"
      "30 75 00 00"  // 30,000 ms
      "00 00 04 00";  // 262,144 bytes
  EXPECT_EQ(to_hex(encode(SessionId(0x0102030405060708ULL), Welcome{"quay-1", "run-1", 30'000, 262'144})),
            to_hex(from_hex(by_hand)));
}

TEST(Golden, ReceiptMatchesTheSpecification) {
  const std::string by_hand =
      "48 4e 05 0c 08 07 06 05 04 03 02 01 01"
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
      "48 4e 05 09 00 00 00 00 00 00 00 00 01"
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
