// Which tasks a client declines before any work, and the reason that it gives.
#include "client/agent/task_check.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/column_statistics.h"
#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

constexpr codecs::Spec f16{codecs::Kind::f16, 0, 0, 0};

// A method that reads a vector "anchor" and makes a vector "drift".
AgentConfig knows_anchored() {
  AgentConfig config = Harness::small_config();
  config.methods.push_back({"anchored", sgd_options(), {"anchor"}, {"drift"}});
  return config;
}

messages::TrainTask anchored_task() {
  messages::TrainTask task = Harness().make_task();
  task.method.name = "anchored";
  task.inputs.push_back({"anchor", sha256("anchor"), 400, {}, {}});
  task.outputs.push_back({"drift", 100, {}});
  task.compression.emplace();
  task.outputs[0].segments = {{100, f16, 0}};
  task.outputs[1].segments = {{30, f16, 0}, {70, f16, 0}};
  task.inputs[1].deltas.emplace();
  task.inputs[1].deltas->segments = {{100, f16, 0}};
  task.inputs[1].deltas->deltas = {{sha256("base"), sha256("blob"), 50}};
  return task;
}

TEST(TaskCheck, EveryMethodMayHaveStatisticsAsItsLastInput) {
  messages::TrainTask task = Harness().make_task();
  ASSERT_TRUE(check_task(task, Harness::small_config()));
  const auto with = [&](const std::string& name, std::uint64_t bytes) {
    messages::TrainTask out = task;
    out.inputs.push_back({name, sha256("statistics"), bytes, {}, {}});
    return check_task(out, Harness::small_config());
  };
  const auto three = with("statistics", 3 * 32);
  EXPECT_TRUE(three) << three.error().text();
  for (const std::uint64_t bytes : {std::uint64_t{36}, std::uint64_t{statistics_columns_max + 1} * 32}) {
    const auto refused = with("statistics", bytes);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find("cannot be statistics"), std::string::npos)
        << refused.error().text();
  }
  EXPECT_FALSE(with("other", 3 * 32));
  // Not before an input of the method.
  messages::TrainTask anchored = anchored_task();
  anchored.inputs.insert(anchored.inputs.begin() + 1, {"statistics", sha256("statistics"), 32, {}, {}});
  EXPECT_FALSE(check_task(anchored, knows_anchored()));
  std::rotate(anchored.inputs.begin() + 1, anchored.inputs.begin() + 2, anchored.inputs.end());
  const auto last = check_task(anchored, knows_anchored());
  EXPECT_TRUE(last) << last.error().text();
}

TEST(TaskCheck, TheFaultIsNamed) {
  struct Row {
    void (*damage)(messages::TrainTask&, AgentConfig&);
    const char* reason;
  };
  const Row rows[] = {
      {[](auto& t, auto&) { t.inputs[0].name = "weights"; }, "does not begin with the model"},
      {[](auto& t, auto&) { t.method.name = "unheard"; }, "method \"unheard\": is not known"},
      {[](auto& t, auto&) {
         t.method.options.push_back({"mu", 0.1});
       },
       "option \"mu\" of method \"anchored\""},
      {[](auto& t, auto&) { t.inputs.pop_back(); }, "lacks, or has in another order, its input \"anchor\""},
      {[](auto& t, auto&) { t.inputs[1].name = "teacher"; },
       "lacks, or has in another order, its input \"anchor\""},
      {[](auto& t, auto&) {
         t.inputs.push_back({"teacher", sha256("teacher"), 400, {}, {}});
       },
       "has no input \"teacher\""},
      {[](auto& t, auto&) { t.outputs.pop_back(); }, "lacks, or has in another order, its output \"drift\""},
      {[](auto& t, auto&) {
         t.outputs.push_back({"variance", 100, {}});
       },
       "has no output \"variance\""},
      {[](auto& t, auto&) { t.inputs[1].bytes = 404; }, "input \"anchor\": is of another size"},
      {[](auto& t, auto&) { t.outputs[1].values = 101; }, "output \"drift\": is of another size"},
      {[](auto&, auto& c) { c.blob_bytes_max = 240; }, "an archive that is larger than the client takes"},
      {[](auto& t, auto& c) {
         c.blob_bytes_max = 399;
         t.archive_bytes = 1;
       },
       "an input \"model\" that is larger"},
      {[](auto&, auto& c) { c.blob_bytes_max = 799; }, "an update that is larger"},
      {[](auto& t, auto&) { t.inputs[1].deltas->deltas[0].bytes = 5ULL << 30; }, "a delta to \"anchor\""},
      {[](auto& t, auto&) { t.inputs[1].deltas->segments[0].values = 99; }, "codecs"},
      {[](auto& t, auto&) { t.outputs[1].segments.pop_back(); }, "codecs"},
      {[](auto& t, auto&) { t.outputs[0].segments.clear(); }, "codecs"},
      {[](auto& t, auto&) {
         t.hold_out = HoldOut{0.51, Measure::no};
       },
       "only 0.05, 0.1, 0.15 ... 0.5 may be"},
      {[](auto& t, auto&) {
         t.hold_out = HoldOut{0.06, Measure::no};
       },
       "only 0.05, 0.1, 0.15 ... 0.5 may be"},
      {[](auto& t, auto&) {
         t.hold_out = HoldOut{0, Measure::yes};
       },
       "examples out"},
  };
  EXPECT_TRUE(check_task(anchored_task(), knows_anchored()));
  for (const Row& row : rows) {
    messages::TrainTask task = anchored_task();
    AgentConfig config = knows_anchored();
    row.damage(task, config);
    const auto checked = check_task(task, config);
    ASSERT_FALSE(checked) << row.reason;
    EXPECT_NE(checked.error().text().find(row.reason), std::string::npos) << checked.error().text();
  }
}

TEST(TaskCheck, AClientThatDoesNotKnowTheMethodDeclinesNamingIt) {
  Harness h;
  h.go_online();
  h.receive(anchored_task());
  ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Decline>()[0].report.reason.code, ReasonCode::method_unknown);
  EXPECT_TRUE(h.all<FindArchive>().empty());
}

TEST(TaskCheck, AClientThatKnowsItFetchesBothInputsBeforeItTrains) {
  Harness h(knows_anchored());
  const auto task = anchored_task();
  h.train(task);
  ASSERT_EQ(h.all<StartTraining>().size(), 1U);
  const auto checks = h.all<VerifyBlob>();
  ASSERT_EQ(checks.size(), 2U);
  EXPECT_EQ(checks[0].blob, task.inputs[0].vector);
  EXPECT_EQ(checks[1].blob, task.inputs[1].vector);
  h.end_training(task);
  ASSERT_EQ(h.sent<messages::Offer>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Offer>()[0].bytes, 800U) << "both outputs";
}

}  // namespace
}  // namespace hansa::client::testing
