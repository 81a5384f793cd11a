// What the coordinator does with the clients' reports about their data.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using messages::DataReport;

const messages::Report bad_value{{ReasonCode::value_invalid,
                                  {{Quantity::data_kind, static_cast<std::uint64_t>(DataKind::csv)},
                                   {Quantity::line, 8},
                                   {Quantity::column, 2}}},
                                 {}};

std::size_t logged(const Harness& h, const std::string& text) {
  const auto logs = h.all<Log>();
  return static_cast<std::size_t>(std::count_if(
      logs.begin(), logs.end(), [&](const Log& log) { return log.text.find(text) != std::string::npos; }));
}

TEST(Data, AClientThatCannotTrainIsNotSelectedUntilItCan) {
  Harness h(small_config());
  const Peer a = h.connect("a", 0);
  const Peer b = h.connect("b");
  const Peer c = h.connect("c");
  EXPECT_EQ(h.sent<messages::TrainTask>(a).size(), 0U);
  EXPECT_EQ(h.sent<messages::TrainTask>(b).size(), 1U);
  h.say(a, DataReport{12, 12});
  h.finish_task(b);
  h.finish_task(c);
  h.commit();
  EXPECT_EQ(h.sent<messages::TrainTask>(a).size(), 1U) << "the next round picks it";
}

TEST(Data, UnderAContractAClientIsSelectedOnceItHasComparedItsData) {
  CoordinatorConfig config = small_config();
  config.settings.contract.emplace();
  config.settings.contract->columns = {"age", "bmi"};
  Harness h(config);
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  const Peer c = h.connect("c");
  ASSERT_EQ(h.sent<messages::Welcome>(a).size(), 1U);
  EXPECT_EQ(h.sent<messages::Welcome>(a)[0].contract, config.settings.contract);
  EXPECT_EQ(h.sent<messages::TrainTask>(a).size(), 0U) << "Hello does not count";
  h.say(a, DataReport{0, 0, {{ReasonCode::contract_columns, {{Quantity::column, 1}}}, {}}, {}});
  h.say(b, DataReport{12, 0});
  h.say(c, DataReport{12, 0});
  EXPECT_EQ(h.sent<messages::TrainTask>(a).size(), 0U);
  EXPECT_EQ(h.sent<messages::TrainTask>(b).size(), 1U) << "the others go on";
  EXPECT_EQ(h.sent<messages::TrainTask>(c).size(), 1U);
  EXPECT_EQ(logged(h, "a cannot train: column 1: its columns are not those of the data contract"), 1U);
}

// Without a contract nothing else shows that a client's columns are in another order: the model would learn nonsense.
TEST(Data, OtherNamesThanThoseOfTheOtherClientsAreReportedOnce) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  const Peer b = h.connect("b");
  const Peer c = h.connect("c");
  const auto report = [](std::uint64_t examples, std::uint64_t schema) {
    DataReport out{examples, 0};
    out.schema = schema;
    return out;
  };
  h.say(a, report(9, 5));
  h.say(b, report(9, 5));
  h.say(c, report(9, 0));
  EXPECT_EQ(logged(h, "are not those of"), 0U) << "a client without names differs from none";
  h.say(c, report(9, 6));
  h.say(c, report(10, 6));
  EXPECT_EQ(
      logged(
          h,
          "c: the names of its columns, its label or its classes, their order, or how its values were made "
          "(tokenizer, sampling rate) are not those of a, b"),
      1U);
  h.say(c, report(11, 5));
  EXPECT_EQ(logged(h, "are not those of"), 1U) << "it has been corrected";
}

TEST(Data, ProblemsAndNoticesAreReportedOnce) {
  Harness h(small_config());
  const Peer a = h.connect("a");
  h.say(a, DataReport{0, 0, bad_value, {}});
  h.say(a, DataReport{0, 0, bad_value, {}});
  EXPECT_EQ(
      logged(h, "a cannot train: csv data, line 8, column 2: a value is not a finite number; correct it"),
      1U);
  h.say(a, DataReport{5, 5, {}, {{{ReasonCode::state_set_aside, {}}, {}}}});
  EXPECT_EQ(logged(h, "a can train now, on 5 examples"), 1U);
  EXPECT_EQ(logged(h, "a: its state was damaged and is set aside"), 1U);
  h.say(a, DataReport{6, 6, {{ReasonCode::row_length, {{Quantity::line, 9}}}, {}}, {}});
  EXPECT_EQ(logged(h, "a has no more data coming: line 9: a row has another number of fields"), 1U);
}

}  // namespace
}  // namespace hansa::server::testing
