// Properties of a task: validity, blobs, the plan of the update, seeds.
#include "protocols/messages/task.h"

#include <gtest/gtest.h>

#include "common/random.h"

#include "tests/protocols/samples.h"

namespace hansa::messages {
namespace {

using testing::counting_digest;

TrainTask two_vectors() {
  TrainTask task;
  task.archive = counting_digest(1);
  task.inputs = {{"model", counting_digest(2), 400, {}, {}}, {"control", counting_digest(3), 400, {}, {}}};
  task.inputs[0].deltas.emplace().deltas = {{counting_digest(4), counting_digest(5), 10},
                                            {counting_digest(6), counting_digest(7), 10}};
  task.outputs = {
      {"delta", 100, {{60, {codecs::Kind::f16, 0, 0, 0}, 0}, {40, {codecs::Kind::f32, 0, 0, 0}, 0}}},
      {"control", 100, {{100, {codecs::Kind::bf16, 0, 0, 0}, 0}}}};
  return task;
}

TEST(Task, TheUpdateConsistsOfTheOutputsInOrder) {
  const TrainTask task = two_vectors();
  EXPECT_EQ(update_values(task), 200U);
  const auto segments = update_segments(task);
  ASSERT_EQ(segments.size(), 3U);
  EXPECT_EQ(segments[0].values, 60U);
  EXPECT_EQ(segments[2].spec.kind, codecs::Kind::bf16);
  const auto plan = codecs::Plan::create(segments);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->values(), update_values(task));
}

TEST(Task, EachBlobHasItsPosition) {
  const TrainTask task = two_vectors();
  const auto model = find_blob(task, counting_digest(2));
  ASSERT_TRUE(model);
  EXPECT_EQ(model->input->name, "model");
  EXPECT_EQ(model->delta, nullptr);
  const auto delta = find_blob(task, counting_digest(7));
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->input->name, "model");
  EXPECT_EQ(delta->delta, &task.inputs[0].deltas->deltas[1]);
  const auto control = find_blob(task, counting_digest(3));
  ASSERT_TRUE(control);
  EXPECT_EQ(control->input->name, "control");
  EXPECT_FALSE(find_blob(task, counting_digest(1))) << "the archive is no input";
  EXPECT_FALSE(find_blob(task, counting_digest(9)));
}

TEST(Task, OnlyAValidTaskPassesTheCheck) {
  EXPECT_TRUE(check(two_vectors()));
  struct Row {
    void (*damage)(TrainTask&);
    const char* error;
  };
  const Row rows[] = {
      {[](TrainTask& t) { t.inputs.clear(); }, "does not begin with the model"},
      {[](TrainTask& t) { t.inputs[0].name = "weights"; }, "does not begin with the model"},
      {[](TrainTask& t) { t.inputs[1].name = "model"; }, "has two inputs \"model\""},
      {[](TrainTask& t) { t.inputs[1].bytes = 0; }, "\"control\" that holds no values"},
      {[](TrainTask& t) { t.inputs[1].bytes = 401; }, "or a part of one"},
      {[](TrainTask& t) { t.inputs[1].vector = counting_digest(2); }, "has one blob for \"control\""},
      {[](TrainTask& t) { t.inputs[0].vector = t.archive; }, "has one blob for \"model\""},
      {[](TrainTask& t) { t.inputs[0].deltas->deltas[1].blob = counting_digest(5); },
       "has one blob for a delta"},
      {[](TrainTask& t) { t.outputs.clear(); }, "does not ask for the model's delta first"},
      {[](TrainTask& t) { t.outputs[0].name = "control"; }, "does not ask for the model's delta first"},
      {[](TrainTask& t) { t.outputs[0].values = 99; }, "of another size than the model's"},
      {[](TrainTask& t) { t.outputs[1].name = "delta"; }, "two outputs \"delta\""},
      {[](TrainTask& t) { t.outputs[1].values = 0; }, "without values"},
  };
  for (const Row& row : rows) {
    TrainTask task = two_vectors();
    row.damage(task);
    const auto checked = check(task);
    ASSERT_FALSE(checked) << row.error;
    EXPECT_EQ(checked.error().code, ErrorCode::protocol);
    EXPECT_NE(checked.error().text().find(row.error), std::string::npos) << checked.error().text();
  }
}

// As long as these seeds do not change, equal seeds give equal models in every version of the protocol.
TEST(Task, SeedsAndNamesAreThoseOfVersion5) {
  TrainTask task = two_vectors();
  task.seed = 42;
  task.compression = Compression{true, 7};
  const codecs::Seeds seeds = update_seeds(task);
  EXPECT_EQ(seeds.update, derive_seed(42, "codec rotation"));
  EXPECT_EQ(seeds.cohort, 7U);
  EXPECT_EQ(seeds.rounding, derive_seed(42, "codec rounding"));
  const ModelDelta delta{counting_digest(1), counting_digest(2), 3};
  EXPECT_EQ(delta_seeds(delta).update, 0x0807060504030201ULL);
  std::string text = "hansa model step 1";
  for (const Digest* digest : {&delta.base, &delta.blob})
    text.append(reinterpret_cast<const char*>(digest->bytes.data()), digest->bytes.size());
  EXPECT_EQ(name_of(delta), sha256(std::string_view(text)));
}

// As docs/protocol.md says; reference.py computes it from the page alone.
TEST(Task, TheWorkOfTheGoldenTaskHasTheDigestOfThePage) {
  for (const auto& sample : testing::samples_to_client()) {
    const auto* task = std::get_if<TrainTask>(&sample.message);
    if (task == nullptr) continue;
    EXPECT_EQ(digest_of_work(*task).hex(),
              "96586fc5625254b349bfb1856e90fdb24649fb3f92cc11c74b9a7b1dd2984483");
  }
}

}  // namespace
}  // namespace hansa::messages
