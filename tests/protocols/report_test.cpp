// Reports: what a hostile client can put into them, and what the operator reads.
#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "common/random.h"
#include "common/text.h"
#include "tests/protocols/samples.h"

namespace hansa::messages::testing {
namespace {

using Bytes = std::vector<std::byte>;

Bytes declined(const Report& report) { return encode(SessionId(1), Decline{TaskId(2), report}); }

constexpr std::size_t code_at = header_bytes + 1 + 8;

TEST(AdversaryReports, EveryReasonAndEveryQuantityHasWords) {
  for (int code = 1; code <= static_cast<int>(last_reason_code); ++code) {
    const std::string text = sentence({{static_cast<ReasonCode>(code), {}}, {}});
    EXPECT_FALSE(text.empty()) << code;
    EXPECT_EQ(text.find("not known here"), std::string::npos) << code;
    EXPECT_TRUE(decode_to_aggregator(declined({{static_cast<ReasonCode>(code), {}}, {}}))) << code;
  }
  for (int quantity = 0; quantity <= static_cast<int>(last_quantity); ++quantity) {
    const Reason bare{ReasonCode::data, {}};
    const Reason with{ReasonCode::data, {{static_cast<Quantity>(quantity), 2}}};
    // Two fields expected say nothing without the number that are there.
    if (static_cast<Quantity>(quantity) == Quantity::fields_expected) continue;
    EXPECT_NE(sentence({with, {}}), sentence({bare, {}})) << quantity;
  }
  EXPECT_EQ(sentence({}), "");
}

TEST(AdversaryReports, SentencesNameThePlaceTheFaultAndAHint) {
  const Report cell{{ReasonCode::value_invalid,
                     {{Quantity::data_kind, static_cast<std::uint64_t>(DataKind::csv)},
                      {Quantity::line, 118},
                      {Quantity::column, 3}}},
                    {}};
  EXPECT_EQ(sentence(cell),
            "csv data, line 118, column 3: a value is not a finite number; correct it, or choose other "
            "data.columns");
  const Report memory{{ReasonCode::memory_short,
                       {{Quantity::bytes_needed, 1ULL << 31}, {Quantity::bytes_allowed, 1ULL << 29}}},
                      {}};
  EXPECT_EQ(sentence(memory),
            "training needs more memory than it allows (up to 2048 MiB needed, 512 MiB allowed); raise "
            "resources.memory_mib_max there, or lower training.batch_size");
  const Report skipped{
      {ReasonCode::record_skipped,
       {{Quantity::because, static_cast<std::uint64_t>(ReasonCode::value_missing)}, {Quantity::line, 9}}},
      {}};
  EXPECT_EQ(sentence(skipped),
            "line 9: a record was skipped: a value is missing; fill it in, or set data.missing to \"skip\", "
            "\"zero\" or \"mean\"");
}

Report random_report(Random& random) {
  Report out;
  out.reason.code = static_cast<ReasonCode>(random.below(static_cast<std::uint64_t>(last_reason_code) + 1));
  for (std::uint64_t n = random.below(reason_numbers_max + 1); n > 0; --n)
    out.reason.numbers.push_back(
        {static_cast<Quantity>(random.below(static_cast<std::uint64_t>(last_quantity) + 1)),
         random.chance(0.5) ? random.next() : random.below(100)});
  for (std::uint64_t n = random.chance(0.5) ? random.below(text_bytes_max) : 0; n > 0; --n)
    out.details += static_cast<char>(random.below(256));
  return out;
}

TEST(AdversaryReports, AnyReportGivesOnePrintableLine) {
  Random random(21);
  for (int i = 0; i < 5'000; ++i) {
    const Report report = random_report(random);
    const std::string text = sentence(report);
    ASSERT_TRUE(is_utf8(text)) << i;
    ASSERT_TRUE(std::ranges::none_of(text, [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    })) << i;
    ASSERT_LE(text.size(), 4 * text_bytes_max + 1'000) << i;
  }
  EXPECT_NE(
      sentence({{ReasonCode::data, {}}, "\x1b[2J\nfake line \u202e"}).find("\\x1b[2J\\x0afake line \\u202e"),
      std::string::npos);
}

TEST(AdversaryReports, AReportOutOfBoundsIsRefused) {
  const auto refused = [](const Bytes& frame) { return !decode_to_aggregator(frame).has_value(); };
  const Report plain{{ReasonCode::data, {{Quantity::line, 1}}}, "x"};
  ASSERT_FALSE(refused(declined(plain)));
  Bytes unknown_code = declined(plain);
  unknown_code[code_at] = static_cast<std::byte>(static_cast<int>(last_reason_code) + 1);
  EXPECT_TRUE(refused(unknown_code));
  Bytes unknown_quantity = declined(plain);
  unknown_quantity[code_at + 1 + 4] = static_cast<std::byte>(static_cast<int>(last_quantity) + 1);
  EXPECT_TRUE(refused(unknown_quantity));
  Bytes not_utf8 = declined(plain);
  not_utf8.back() = std::byte{0xff};
  EXPECT_TRUE(refused(not_utf8));
  for (const std::uint32_t count :
       {std::uint32_t{reason_numbers_max + 1}, std::numeric_limits<std::uint32_t>::max()}) {
    Bytes many = declined(plain);
    for (int i = 0; i < 4; ++i) many[code_at + 1 + i] = static_cast<std::byte>(count >> (8 * i));
    EXPECT_TRUE(refused(many)) << count;
  }
  EXPECT_TRUE(
      refused(encode(SessionId(1), DataReport{1, 1, {}, std::vector<Report>(reports_max + 1, plain)})));
  EXPECT_FALSE(refused(encode(SessionId(1), DataReport{1, 1, {}, std::vector<Report>(reports_max, plain)})));
}

// Mutated frames are refused, or encode to the same bytes again.
TEST(AdversaryReports, DamagedReportsDecodeToNothingElse) {
  Random random(22);
  for (int i = 0; i < 20'000; ++i) {
    Bytes frame = random.chance(0.5)
                      ? declined(random_report(random))
                      : encode(SessionId(1), DataReport{random.next(),
                                                        random.next(),
                                                        random_report(random),
                                                        {random_report(random), random_report(random)}});
    for (std::uint64_t n = random.below(4); n > 0; --n)
      frame[header_bytes + random.below(frame.size() - header_bytes)] =
          static_cast<std::byte>(random.below(256));
    if (random.chance(0.1)) frame.resize(header_bytes + random.below(frame.size() - header_bytes));
    const auto decoded = decode_to_aggregator(frame);
    if (!decoded) continue;
    const auto* envelope = std::get_if<Envelope<ToAggregator>>(&*decoded);
    ASSERT_NE(envelope, nullptr);
    ASSERT_EQ(encode(envelope->session, envelope->message), frame) << i;
  }
}

}  // namespace
}  // namespace hansa::messages::testing
