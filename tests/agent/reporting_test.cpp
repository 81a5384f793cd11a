// What leaves a device in addition to its updates.
#include "client/agent/reporting.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "client/agent/task_check.h"
#include "protocols/messages/codec.h"
#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

const std::string secret = "Mary-Miller-4711";

bool contains(const std::vector<std::byte>& frame, const std::string& text) {
  return std::string_view(reinterpret_cast<const char*>(frame.data()), frame.size()).find(text) !=
         std::string::npos;
}

Error error_of(ErrorCode code, Reason reason = {}) {
  return {code, "/home/" + secret + "/data.csv:8", "is \"" + secret + "\"", "ask " + secret,
          std::move(reason)};
}

// Each message that the agent sends, as it is on the wire.
std::vector<std::vector<std::byte>> frames_of(const Harness& h) {
  std::vector<std::vector<std::byte>> out;
  for (const Send& send : h.all<Send>()) out.push_back(messages::encode(send.session, send.message));
  return out;
}

TEST(AdversaryReports, EveryErrorCodeHasAReportWithoutItsText) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    const Error error = error_of(static_cast<ErrorCode>(i));
    for (const messages::Report& report : {report_of(error, {}), report_of_training(error, {})}) {
      EXPECT_FALSE(report.empty()) << name(error.code);
      EXPECT_TRUE(report.details.empty());
      EXPECT_FALSE(contains(messages::encode(SessionId(1), messages::Decline{TaskId(1), report}), secret));
    }
    EXPECT_NE(report_of(error, {}), report_of(error_of(ErrorCode((i + 1) % 10)), {})) << "each has its own";
  }
}

TEST(AdversaryReports, AFailedTrainingSendsNoTextOfTheModel) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    Harness h;
    h.apply(DataKnown{{600, 0}});
    h.train(h.make_task());
    h.apply(TrainingEnded{TaskId(1), tl::unexpected<Error>(error_of(static_cast<ErrorCode>(i)))});
    h.apply(StopAsked{});
    ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
    for (const auto& frame : frames_of(h)) EXPECT_FALSE(contains(frame, secret)) << i;
  }
}

TEST(AdversaryReports, AModelCannotPutNumbersIntoItsFailure) {
  for (int code = 0; code <= static_cast<int>(last_reason_code); ++code) {
    const Error error = error_of(ErrorCode::model, {static_cast<ReasonCode>(code),
                                                    {{Quantity::line, 0x4d617279},
                                                     {Quantity::bytes_needed, 0x4d617279},
                                                     {Quantity::count, 0x4d617279}}});
    for (const ReasonNumber& number : report_of_training(error, {}).reason.numbers)
      EXPECT_EQ(number.value, 0x80000000U) << code << ": a power of two";
  }
}

TEST(AdversaryReports, TextsAreSentOnlyOnRequestAndBounded) {
  const ReportPolicy sends{ReportDetails::sent, DataKind::csv};
  const Error error = error_of(ErrorCode::data, {ReasonCode::value_invalid, {{Quantity::line, 8}}});
  const messages::Report report = report_of(error, sends);
  EXPECT_NE(report.details.find(secret), std::string::npos);
  EXPECT_EQ(report.reason.number(Quantity::data_kind), static_cast<std::uint64_t>(DataKind::csv));
  Error large = error;
  large.what = std::string(5'000, 'x') + "\x1b[2J";
  EXPECT_LE(report_of(large, sends).details.size(), messages::text_bytes_max);
}

TEST(AdversaryReports, TheNumberOfExamplesIsRoundedIfASecureSumHidesIt) {
  AgentConfig config = Harness::small_config();
  config.secure_sums.emplace();
  Harness h(config);
  h.apply(DataKnown{{613, 41}});
  h.go_online();
  const auto hello = h.sent<messages::Hello>().at(0);
  EXPECT_EQ(hello.data.examples, 1'024U);
  EXPECT_EQ(hello.data.new_examples, 64U);
  h.advance(std::chrono::seconds(2));
  h.forget();
  h.apply(DataKnown{{700, 60}});
  h.advance(std::chrono::seconds(2));
  EXPECT_TRUE(h.sent<messages::DataReport>().empty()) << "a change within the same powers of two is not seen";
  h.apply(DataKnown{{1'025, 0}});
  ASSERT_EQ(h.sent<messages::DataReport>().size(), 1U);
  EXPECT_EQ(h.sent<messages::DataReport>()[0].examples, 2'048U);
  EXPECT_EQ(h.sent<messages::DataReport>()[0].new_examples, 0U);
}

TEST(AdversaryReports, VisibleNumbersArePowersOfTwoAtLeastAsLarge) {
  for (const std::uint64_t n : {1ULL, 2ULL, 3ULL, 600ULL, 1ULL << 40, (1ULL << 63) - 1}) {
    EXPECT_GE(visible_count(n), n);
    EXPECT_LT(visible_count(n) / 2, n);
    EXPECT_EQ(visible_count(n) & (visible_count(n) - 1), 0U);
  }
  EXPECT_EQ(visible_count(0), 0U);
  EXPECT_EQ(visible_count(std::numeric_limits<std::uint64_t>::max()), 1ULL << 63);
  EXPECT_EQ(visible_seconds(3.7), 4);
  EXPECT_EQ(visible_seconds(4), 4);
  for (const double odd : {0.0, -1.0, std::nan(""), 0.01}) EXPECT_EQ(visible_seconds(odd), 0.0625);
  EXPECT_EQ(visible_seconds(std::numeric_limits<double>::infinity()), 0x1p20);
}

TEST(AdversaryReports, ALimitThatWouldMeasureAnUpdateIsDeclinedBeforeAnyWork) {
  for (const double limit : {0.01, 0.999, 0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    Harness h;
    h.go_online();
    auto task = h.make_task();
    task.magnitude_max = limit;
    h.receive(task);
    ASSERT_EQ(h.sent<messages::Decline>().size(), 1U) << limit;
    EXPECT_EQ(h.sent<messages::Decline>()[0].report.reason, (Reason{ReasonCode::limit_too_low, {}}));
    EXPECT_TRUE(h.all<FindArchive>().empty()) << limit;
  }
  Harness h;
  h.go_online();
  auto task = h.make_task();
  task.magnitude_max = magnitude_max_least;
  h.receive(task);
  EXPECT_TRUE(h.sent<messages::Decline>().empty());
}

TEST(AdversaryReports, NoticesWithoutEndBecomeANumber) {
  Harness h;
  messages::DataReport report{5, 5};
  report.notices = {report_of(error_of(ErrorCode::data), {})};
  for (int i = 0; i < 1'000; ++i) h.apply(DataKnown{report});
  h.reach_greeting();
  const auto notices = h.sent<messages::Hello>().at(0).data.notices;
  ASSERT_EQ(notices.size(), messages::reports_max);
  EXPECT_EQ(notices.back().reason, (Reason{ReasonCode::notices_omitted, {{Quantity::count, 993}}}));
  EXPECT_TRUE(messages::decode_to_aggregator(frames_of(h).at(0)));
}

TEST(AdversaryReports, AFarewellHasNoText) {
  Harness h;
  h.go_online();
  h.apply(StopAsked{});
  ASSERT_EQ(h.sent<messages::Bye>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Bye>()[0].reason, "");
}

}  // namespace
}  // namespace hansa::client::testing
