// The forms of an update: the bytes that are sent, and the vectors that are staged for the next update.
#include "client/engine/update_form.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "client/ledger/memory_ledger.h"
#include "common/random.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"
#include "tests/client_state/count.h"

namespace hansa::client {
namespace {

namespace sa = secure_aggregation;

class Form : public ::testing::Test {
 protected:
  Form() {
    Random random(1);
    vectors_->update.resize(400);
    for (float& value : vectors_->update) value = static_cast<float>(0.1 * random.normal());
    task_.task = TaskId(1);
    task_.seed = 5;
    task_.magnitude_max = 64;
  }
  void encode_with(const std::string& codec) {
    const std::size_t values = vectors_->update.size();
    task_.outputs = {{"delta", values, {{values, *codecs::parse_spec(codec, "test"), 0}}}};
    task_.compression.emplace();
  }
  Result<OutgoingUpdate> prepare(const std::unique_ptr<UpdateForm>& form) {
    staged_.task = task_.task;
    return form->prepare({vectors_, ledger_, staged_, memory_});
  }
  [[nodiscard]] MaskUpdate mask_of(double fraction) const {
    MaskUpdate out;
    out.task = task_.task;
    out.setup.clients = 3;
    out.setup.quantisation = {255, 16, 3.0, 1.0, true, fraction};
    out.setup.segments = {{vectors_->update.size(), 0.1}};
    out.examples = 1;
    return out;
  }
  void count() {
    ASSERT_TRUE(testing::count(ledger_, staged_));
    staged_ = {};
    task_.task.value += 1;
  }

  std::shared_ptr<TaskVectors> vectors_ = std::make_shared<TaskVectors>();
  messages::TrainTask task_;
  MemoryLedger ledger_;
  StagedChanges staged_;
  UpdateMemory memory_;
};

std::vector<std::byte> copy_of(const transport::Bulk& bulk) { return {bulk.bytes.begin(), bulk.bytes.end()}; }

TEST_F(Form, APlainUpdateIsSentAsFloatsAndKeepsNothing) {
  const auto out = prepare(form_of(task_));
  ASSERT_TRUE(out);
  EXPECT_EQ(out->task, task_.task);
  EXPECT_EQ(out->bulk.bytes.data(), static_cast<const void*>(vectors_->update.data())) << "it was copied";
  EXPECT_EQ(out->bulk.bytes.size(), vectors_->update.size() * sizeof(float));
  EXPECT_EQ(out->check, checksum(std::span<const float>(vectors_->update)));
  EXPECT_FALSE(out->masked);
  EXPECT_TRUE(staged_.vectors.empty());
}

TEST_F(Form, AnEncodedUpdateAddsTheResidualOfThePreviousOne) {
  encode_with("topk(0.1, q4)");
  const auto first = copy_of(prepare(form_of(task_))->bulk);
  EXPECT_LT(first.size(), vectors_->update.size());
  ASSERT_EQ(staged_.vectors.size(), 1U);
  // Until the update is counted, the next one starts without a residual.
  EXPECT_EQ(copy_of(prepare(form_of(task_))->bulk), first);
  count();
  EXPECT_NE(copy_of(prepare(form_of(task_))->bulk), first);
  // The residual of another codec is not used.
  encode_with("topk(0.1, q8)");
  const auto other = copy_of(prepare(form_of(task_))->bulk);
  MemoryLedger empty;
  EXPECT_EQ(copy_of(form_of(task_)->prepare({vectors_, empty, staged_, memory_})->bulk), other);
}

TEST_F(Form, ARepeatedTaskEncodesTheSameBytes) {
  encode_with("topk(0.1, q4)");
  ASSERT_TRUE(prepare(form_of(task_)));
  count();
  const auto counted = copy_of(prepare(form_of(task_))->bulk);
  ASSERT_TRUE(testing::count(ledger_, staged_));
  EXPECT_EQ(copy_of(prepare(form_of(task_))->bulk), counted);
}

TEST_F(Form, BytesThatAreBeingSentAreNotOverwritten) {
  encode_with("q4");
  const auto sent = prepare(form_of(task_));
  const auto before = copy_of(sent->bulk);
  vectors_->update[0] += 1;
  ASSERT_TRUE(prepare(form_of(task_)));
  EXPECT_EQ(copy_of(sent->bulk), before);
}

TEST_F(Form, AnUpdateForASecureSumIsNotSentBeforeItIsMasked) {
  task_.secure.emplace();
  const auto withheld = prepare(form_of(task_));
  ASSERT_TRUE(withheld);
  EXPECT_TRUE(withheld->bulk.bytes.empty());
  const MaskUpdate mask = mask_of(1);
  const auto masked = prepare(form_of(mask));
  ASSERT_TRUE(masked) << masked.error().text();
  EXPECT_TRUE(masked->masked);
  EXPECT_EQ(masked->bulk.bytes.size(), sa::packed_bytes(sa::vector_elements(mask.setup), 16));
  EXPECT_TRUE(staged_.vectors.empty());
}

TEST_F(Form, ASumOfAFractionOfTheValuesStagesTheOthersAndARepeatedSumReplacesThem) {
  task_.secure.emplace();
  const MaskUpdate half = mask_of(0.5), whole = mask_of(1);
  ASSERT_TRUE(prepare(form_of(half)));
  ASSERT_EQ(staged_.vectors.size(), 1U);
  EXPECT_EQ(staged_.vectors.begin()->second.values().size(), vectors_->update.size());
  ASSERT_TRUE(prepare(form_of(whole)));
  EXPECT_TRUE(staged_.vectors.empty());
}

TEST_F(Form, AValueThatCannotBeSentIsAnErrorInEveryForm) {
  const auto expect_refused = [&] {
    for (const float value : {100.0F, std::numeric_limits<float>::infinity(), std::nanf("")}) {
      vectors_->update[7] = value;
      const auto out = prepare(form_of(task_));
      ASSERT_FALSE(out);
      EXPECT_EQ(out.error().code, ErrorCode::data);
    }
  };
  expect_refused();
  encode_with("topk(0.1, q4)");
  expect_refused();
  EXPECT_TRUE(staged_.vectors.empty());
  task_.secure.emplace();
  expect_refused();
}

}  // namespace
}  // namespace hansa::client
