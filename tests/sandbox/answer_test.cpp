// What a trainer that a model's code has taken over may claim.
#include "client/trainer/internal/answer.h"

#include <limits>

#include <gtest/gtest.h>

#include "learning/wire/wire.h"

namespace hansa::client::internal {
namespace {

constexpr std::size_t values = 4;
constexpr std::size_t room = 8;  // values of vectors to keep

DataDescription described() {
  DataDescription out;
  out.inputs = {{"x", ElementType::float32, {2}}};
  out.class_count = 2;
  out.columns = {"age", "bmi"};
  out.label = "outcome";
  out.ranges = {{0, 1}, {-2, 3.5}};
  return out;
}

TEST(AdversaryTrainerDescription, AnHonestOneArrivesAsItWasSent) {
  EXPECT_EQ(learning::description_of(learning::json_of(described())), described());
}

TEST(AdversaryTrainerDescription, OneThatIsTooLargeOrInconsistentIsRefused) {
  const auto refused = [](const char* key, Json value) {
    Json json = learning::json_of(described());
    json[key] = std::move(value);
    EXPECT_THROW((void)learning::description_of(json), Json::exception) << key;
  };
  refused("columns", std::vector<std::string>(described_columns_max + 1, "x"));
  refused("columns", std::vector<std::string>{std::string(described_bytes_max, 'x'), "y"});
  refused("columns", std::vector<std::string>{"one"});
  refused("columns", 7);
  const auto input = [](const char* type, std::vector<int> shape) {
    return Json::array({{{"name", "x"}, {"type", type}, {"shape", std::move(shape)}}});
  };
  refused("inputs", input("float32", std::vector<int>(17, 1)));
  refused("inputs", input("float32", {0}));
  refused("inputs", input("complex", {2}));
  refused("inputs", Json::array());
  refused("inputs", Json(std::vector<Json>(65, input("float32", {2})[0])));
  refused("target", 3);
  refused("target", -1);
  refused("ranges", Json::array({Json::array({"nan", 1})}));
  refused("label", nullptr);
}

TEST(AdversaryTrainerDescription, TooManyNamesAreLeftOutByTheSender) {
  DataDescription large = described();
  large.columns.assign(described_columns_max + 1, "x");
  const DataDescription sent = learning::description_of(learning::json_of(large));
  EXPECT_TRUE(sent.columns.empty());
  EXPECT_EQ(sent.inputs, large.inputs);
}

struct AdversaryTrainerAnswer : ::testing::Test {
  AdversaryTrainerAnswer() {
    task.request.archive = std::filesystem::path("model.pt");
    task.output_names = {"delta"};
    task.sizes.outputs = {values};
    task.sizes.kept_results = room;
    bytes.resize(TaskMemory::bytes_for(task.sizes) / sizeof(std::uint64_t) + 1);
    memory.emplace(std::as_writable_bytes(std::span(bytes)).first(TaskMemory::bytes_for(task.sizes)),
                   task.sizes);
    std::ranges::fill(memory->output(0), 0.5F);
  }
  [[nodiscard]] static Json honest() {
    return {{"ok", true},
            {"examples", 10},
            {"samples", 20},
            {"seconds", 0.5},
            {"kept", Json::array()},
            {"note", ""},
            {"metrics", learning::json_of(Metrics{{"loss", 3.0, 10.0}})}};
  }
  // Three of the ten examples are not trained on.
  [[nodiscard]] static Json of_seven() {
    Json out = honest();
    out["examples"] = 7;
    out["samples"] = 14;
    return out;
  }
  [[nodiscard]] Result<learning::TrainingResult> accept(const Json& answer) {
    update.assign(values, 7.0F);
    const std::vector<learning::OutputVector> outputs{{"delta", update}};
    return accept_answer(learning::frame_of(answer), task, *memory, {10, 1.0}, outputs);
  }
  void expect_refused_metric(const Metric& metric) {
    SCOPED_TRACE(metric.name);
    Json answer = of_seven();
    answer["metrics"] = learning::json_of(Metrics{{"loss", 3.0, 10.0}, metric});
    expect_refused(answer);
  }
  void expect_refused(const Json& answer) {
    const auto result = accept(answer);
    ASSERT_FALSE(result) << answer.dump();
    EXPECT_EQ(result.error().code, ErrorCode::model) << answer.dump();
  }

  Task task;
  std::vector<std::uint64_t> bytes;
  std::optional<TaskMemory> memory;
  std::vector<float> update;
};

TEST_F(AdversaryTrainerAnswer, AnHonestAnswerIsTaken) {
  const auto result = accept(honest());
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->examples, 10U);
  EXPECT_EQ(update, std::vector<float>(values, 0.5F));
}

TEST_F(AdversaryTrainerAnswer, MoreExamplesThanItWasGivenAreRefused) {
  for (const Json& examples : {Json(0), Json(11), Json(std::numeric_limits<std::uint64_t>::max()), Json(-1),
                               Json(2.5), Json("10"), Json()}) {
    Json answer = honest();
    answer["examples"] = examples;
    expect_refused(answer);
  }
  Json answer = honest();
  answer["samples"] = 10'001;  // more than 1,000 epochs
  expect_refused(answer);
}

TEST_F(AdversaryTrainerAnswer, AHeldOutMetricThatCannotBeOneIsRefused) {
  Json answer = of_seven();
  answer["metrics"] =
      learning::json_of(Metrics{{"held_out_loss", 3.0, 3.0}, {"held_out_accuracy", 2.0, 3.0}});
  EXPECT_TRUE(accept(answer));
  expect_refused_metric({"held_out_loss", 3.0, 0.0});
  expect_refused_metric({"held_out_loss", 3.0, 4.0});
  expect_refused_metric({"held_out_loss", 1e300, 2.0});
  expect_refused_metric({"held_out_accuracy", 3.0, 2.0});
  expect_refused_metric({"held_out_personal_accuracy", -1.0, 2.0});
  expect_refused_metric({"held_out_loss.07", 1.0, 1.0});
  expect_refused_metric({"held_out_own.auc", 1.0, 4.0});
  expect_refused_metric({"held_out_own.auc", 1e300, 2.0});
}

TEST_F(AdversaryTrainerAnswer, TimeIsAtMostWhatPassedHere) {
  for (const Json& seconds : {Json(1e9), Json(-5.0), Json(1.5)}) {
    Json answer = honest();
    answer["seconds"] = seconds;
    const auto result = accept(answer);
    ASSERT_TRUE(result);
    EXPECT_GE(result->train_seconds, 0.0);
    EXPECT_LE(result->train_seconds, 1.0);
  }
}

TEST_F(AdversaryTrainerAnswer, ValuesThatAreNotFiniteAreRefusedAndLeaveNoUpdate) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    memory->output(0)[values - 1] = bad;
    expect_refused(honest());
    EXPECT_EQ(update, std::vector<float>(values, 0.0F));
  }
}

TEST_F(AdversaryTrainerAnswer, MetricsWithoutEndOrThatAreNotNumbersAreRefused) {
  Json answer = honest();
  answer["metrics"] = learning::json_of(Metrics{{"loss", std::numeric_limits<double>::quiet_NaN(), 1}});
  expect_refused(answer);
  answer["metrics"] = learning::json_of(Metrics{{"loss", 1, -1}});
  expect_refused(answer);
  answer["metrics"] = learning::json_of(Metrics(learning::wire_metrics_max + 1, {"loss", 1, 1}));
  expect_refused(answer);
}

TEST_F(AdversaryTrainerAnswer, VectorsToKeepStayWithinTheirRoom) {
  const auto kept = [](std::uint64_t size) {
    Json answer = honest();
    answer["kept"].push_back({{"name", "state"}, {"of", Digest{}.text()}, {"values", size}});
    return answer;
  };
  EXPECT_TRUE(accept(kept(room)));
  expect_refused(kept(room + 1));
  expect_refused(kept(std::numeric_limits<std::uint64_t>::max()));
  Json twice = kept(room);
  twice["kept"].push_back(twice["kept"][0]);
  expect_refused(twice);
}

// Each name would stay on the device's disk.
TEST_F(AdversaryTrainerAnswer, VectorsToKeepHaveFewNames) {
  Json answer = honest();
  for (int i = 0; i < 9; ++i)
    answer["kept"].push_back(
        {{"name", "state " + std::to_string(i)}, {"of", Digest{}.text()}, {"values", 0}});
  expect_refused(answer);
  answer["kept"].erase(0);
  EXPECT_TRUE(accept(answer));
}

TEST_F(AdversaryTrainerAnswer, WhatIsNoResultIsAnError) {
  for (const char* frame : {"", "{", "[]", "null", "7", "{\"ok\":1}", "{\"ok\":true}", "{\"ok\":false}"}) {
    update.assign(values, 7.0F);
    const std::vector<learning::OutputVector> outputs{{"delta", update}};
    EXPECT_FALSE(accept_answer(frame, task, *memory, {10, 1.0}, outputs)) << frame;
  }
}

struct AdversaryTrainerPlaces : ::testing::Test {
  AdversaryTrainerPlaces() {
    task.request.archive = std::filesystem::path("model.pt");
    task.request.layout = sha256(std::string_view(layout));
    task.sizes.kept_results = 64;
    bytes.resize(TaskMemory::bytes_for(task.sizes) / sizeof(std::uint64_t) + 1);
    memory.emplace(std::as_writable_bytes(std::span(bytes)).first(TaskMemory::bytes_for(task.sizes)),
                   task.sizes);
  }
  [[nodiscard]] Result<learning::ValuePlaces> accept(const std::vector<std::string>& texts) {
    std::string all;
    Json sizes = Json::array();
    for (const std::string& text : texts) {
      all += text;
      sizes.push_back(text.size());
    }
    std::ranges::copy(std::as_bytes(std::span(all)), std::as_writable_bytes(memory->kept_results()).begin());
    return accept_places(learning::frame_of({{"ok", true}, {"texts", sizes}}), task, *memory);
  }
  void expect_refused(const std::vector<std::string>& texts) {
    const auto places = accept(texts);
    ASSERT_FALSE(places) << texts[1];
    EXPECT_EQ(places.error().code, ErrorCode::model) << places.error().text();
  }

  const std::string layout = "trainable w 2 2\nbuffer b\n", honest = "data/0 0 2 1\ndata/1 7\n";
  Task task;
  std::vector<std::uint64_t> bytes;
  std::optional<TaskMemory> memory;
};

TEST_F(AdversaryTrainerPlaces, HonestOnesAreTaken) {
  const auto found = accept({layout, honest, "trainable own 1\n", "data/2 3 1\n"});
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(text_of(found->shared.places), honest);
  EXPECT_EQ(found->personal.layout.text(), "trainable own 1\n");
  EXPECT_EQ(found->personal.places.at(0).offset, 3U);
}

TEST_F(AdversaryTrainerPlaces, AnotherLayoutThanTheTasksIsRefused) {
  expect_refused({"trainable w 4\nbuffer b\n", "data/0 0 1\ndata/1 7\n", "", ""});
  expect_refused({"", "", "", ""});
  expect_refused({"lines\n", honest, "", ""});
}

TEST_F(AdversaryTrainerPlaces, MoreOrFewerPlacesThanTheLayoutHasAreRefused) {
  for (const char* text :
       {"", "data/0 0 2 1\n", "data/0 0 2 1\ndata/1 7\ndata/2 0\n", "data/0 0 2 1\ndata/1 7\n\n"})
    expect_refused({layout, text, "", ""});
  expect_refused({layout, honest, "", honest});
}

TEST_F(AdversaryTrainerPlaces, PlacesThatAreNoNumbersAreRefused) {
  for (const char* text :
       {"data/0 0 2\ndata/1 7\n", "data/0 0 2 1 1\ndata/1 7\n", "data/0 -1 2 1\ndata/1 7\n",
        "data/0 0 2 x\ndata/1 7\n", "data/0 0 2 18446744073709551616\ndata/1 7\n", "data/0\ndata/1 7\n",
        "data/0 0 2 1 \ndata/1 7 \n0"})
    expect_refused({layout, text, "", ""});
}

TEST_F(AdversaryTrainerPlaces, TextsStayWithinTheirRoom) {
  constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
  for (const Json& sizes : {Json::array({1, 1, 1, huge}), Json::array({257, 0, 0, 0}), Json::array({0, 0, 0}),
                            Json::array({0, 0, 0, 0, 0}), Json::array({-1, 0, 0, 0}), Json("texts"), Json()})
    EXPECT_FALSE(accept_places(learning::frame_of({{"ok", true}, {"texts", sizes}}), task, *memory))
        << sizes.dump();
  EXPECT_FALSE(accept_places(R"({"ok":true})", task, *memory));
}

}  // namespace
}  // namespace hansa::client::internal
