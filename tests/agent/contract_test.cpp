// The agent under a data contract: it compares before its data counts, says why it does not train, and no name of a
// column or class leaves the device.
#include <gtest/gtest.h>

#include "protocols/messages/codec.h"
#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

using messages::DataReport;

DataDescription site() {
  DataDescription out;
  out.inputs = {{"x", ElementType::float32, {2}}};
  out.class_count = 2;
  out.columns = {"age", "bmi"};
  out.label = "outcome";
  out.ranges = {{18, 97}, {15, 44}};
  return out;
}

DataDescription reversed_site() {
  DataDescription out = site();
  out.columns = {"bmi", "age"};
  return out;
}

// A new session whose Welcome has this contract.
void welcome(Harness& h, const std::optional<DataContract>& contract) {
  h.apply(LinkDown{Error{ErrorCode::network, "tcp://here:1", "the connection was cut", ""}});
  h.reach_greeting();
  h.session = SessionId(++h.sessions);
  h.receive(messages::Welcome{"a", "run-1", lease_ms, chunk_bytes, contract});
}

std::size_t logged(const Harness& h, Log::Level level, const std::string& text) {
  std::size_t out = 0;
  for (const Log& log : h.all<Log>())
    if (log.level == level && log.text.find(text) != std::string::npos) ++out;
  return out;
}

TEST(Contract, DataThatFitsIsReportedAfterTheWelcome) {
  Harness h;
  h.apply(DataKnown{{40, 7}, site()});
  welcome(h, contract_of(site()));
  ASSERT_EQ(h.sent<messages::Hello>().size(), 1U);
  const auto reports = h.sent<DataReport>();
  ASSERT_EQ(reports.size(), 1U) << "what Hello says does not count";
  EXPECT_EQ(reports[0].examples, 40U);
  EXPECT_EQ(reports[0].new_examples, 7U);
  EXPECT_TRUE(reports[0].problem.empty());
}

TEST(Contract, TheSchemaTellsWhetherNamesAndTheirOrderAreEqual) {
  const auto schema_of = [](const DataDescription& data) {
    Harness h;
    h.apply(DataKnown{{40, 7}, data});
    welcome(h, contract_of(data));
    return h.sent<DataReport>().at(0).schema;
  };
  DataDescription other_values = site();
  other_values.ranges = {};
  EXPECT_NE(schema_of(site()), 0U);
  EXPECT_EQ(schema_of(other_values), schema_of(site()));
  EXPECT_NE(schema_of(reversed_site()), schema_of(site()));
  DataDescription classes = site();
  classes.classes = {"ill", "well"};
  DataDescription other_classes = site();
  other_classes.classes = {"well", "ill"};
  EXPECT_NE(schema_of(classes), schema_of(other_classes));
  DataDescription unnamed = site();
  unnamed.columns = {};
  EXPECT_EQ(schema_of(unnamed), 0U) << "without names there is nothing to compare";
}

TEST(Contract, WithoutOneNothingIsSentAfterTheWelcome) {
  Harness h;
  h.apply(DataKnown{{40, 7}, reversed_site()});
  welcome(h, std::nullopt);
  EXPECT_TRUE(h.sent<DataReport>().empty());
}

TEST(Contract, ColumnsInReverseOrderAreReportedByPositionAndExplainedInTheDevicesLog) {
  Harness h;
  h.apply(DataKnown{{40, 7}, reversed_site()});
  welcome(h, contract_of(site()));
  const auto reports = h.sent<DataReport>();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].examples, 0U);
  EXPECT_EQ(reports[0].new_examples, 0U);
  EXPECT_EQ(reports[0].problem.reason, (Reason{ReasonCode::contract_columns, {{Quantity::column, 1}}}));
  EXPECT_EQ(
      logged(h, Log::Level::error, "column 1 is \"age\" in the contract, but \"bmi\" in this client's data"),
      1U);
  EXPECT_EQ(logged(h, Log::Level::error, "set data.columns = [\"age\", \"bmi\"] in client.toml"), 1U);
  for (const Send& send : h.all<Send>()) {
    const auto frame = messages::encode(send.session, send.message);
    const std::string bytes(reinterpret_cast<const char*>(frame.data()), frame.size());
    EXPECT_EQ(bytes.find("bmi"), std::string::npos);
  }
}

TEST(Contract, ATaskForDataThatDiffersIsDeclined) {
  Harness h;
  h.apply(DataKnown{{40, 7}, reversed_site()});
  welcome(h, contract_of(site()));
  h.receive(h.make_task());
  const auto declines = h.sent<messages::Decline>();
  ASSERT_EQ(declines.size(), 1U);
  EXPECT_EQ(declines[0].report.reason.code, ReasonCode::contract_columns);
  EXPECT_TRUE(h.all<FindArchive>().empty());
}

TEST(Contract, CorrectedDataIsReportedInTheSameSession) {
  Harness h;
  h.apply(DataKnown{{40, 7}, reversed_site()});
  welcome(h, contract_of(site()));
  h.advance(std::chrono::seconds(2));
  h.forget();
  h.apply(DataKnown{{40, 7}, site()});
  const auto reports = h.sent<DataReport>();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].examples, 40U);
  h.receive(h.make_task());
  EXPECT_EQ(h.all<FindArchive>().size(), 1U);
}

TEST(Contract, AnotherContractAfterARestartOfTheAggregatorIsComparedAgain) {
  Harness h;
  h.apply(DataKnown{{40, 7}, site()});
  welcome(h, contract_of(site()));
  h.forget();
  welcome(h, contract_of(reversed_site()));
  ASSERT_EQ(h.sent<DataReport>().size(), 1U);
  EXPECT_EQ(h.sent<DataReport>()[0].examples, 0U);
  h.forget();
  welcome(h, std::nullopt);
  EXPECT_EQ(h.sent<messages::Hello>()[0].data.examples, 0U) << "judged by the contract that it knows";
  ASSERT_EQ(h.sent<DataReport>().size(), 1U);
  EXPECT_EQ(h.sent<DataReport>()[0].examples, 40U);
}

TEST(Contract, TheSameDifferenceIsLoggedOnce) {
  Harness h;
  h.apply(DataKnown{{40, 7}, reversed_site()});
  for (int i = 0; i < 5; ++i) welcome(h, contract_of(site()));
  EXPECT_EQ(logged(h, Log::Level::error, "data contract"), 1U);
}

TEST(Contract, ValuesOutsideOfTheRangesWarnOnceOnTheDeviceOnly) {
  Harness h;
  DataContract contract = contract_of(site());
  contract.maximum[1] = 40;
  h.apply(DataKnown{{40, 7}, site()});
  welcome(h, contract);
  DataDescription wider = site();
  wider.ranges[1].most = 1'000;
  h.advance(std::chrono::seconds(2));
  h.apply(DataKnown{{41, 8}, wider});
  EXPECT_EQ(logged(h, Log::Level::warning, "column \"bmi\" has values from 15 to 44"), 1U);
  EXPECT_EQ(logged(h, Log::Level::warning, "has values from"), 1U);
  for (const DataReport& report : h.sent<DataReport>()) {
    EXPECT_TRUE(report.problem.empty());
    EXPECT_TRUE(report.notices.empty());
    EXPECT_GT(report.examples, 0U);
  }
}

TEST(Contract, DataThatNobodyDescribesFitsNoContract) {
  Harness h;
  h.apply(DataKnown{{40, 7}});
  welcome(h, contract_of(site()));
  ASSERT_EQ(h.sent<DataReport>().size(), 1U);
  EXPECT_EQ(h.sent<DataReport>()[0].examples, 0U);
  EXPECT_EQ(h.sent<DataReport>()[0].problem.reason.code, ReasonCode::contract_columns);
}

TEST(Contract, DataThatCannotBeReadKeepsItsOwnReason) {
  Harness h;
  h.apply(DataKnown{{0, 0, {{ReasonCode::data_unreadable, {}}, {}}, {}}});
  welcome(h, contract_of(site()));
  ASSERT_EQ(h.sent<DataReport>().size(), 1U);
  EXPECT_EQ(h.sent<DataReport>()[0].problem.reason.code, ReasonCode::data_unreadable);
}

}  // namespace
}  // namespace hansa::client::testing
