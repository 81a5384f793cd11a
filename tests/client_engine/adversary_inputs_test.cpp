// Attacks by an aggregator that shows one client of a secure sum another model than the others.
#include <gtest/gtest.h>

#include "client/engine/task_inputs.h"
#include "common/vector_digest.h"

namespace hansa::client {
namespace {

struct NoArchives final : ArchiveStore {
  bool has(const Digest&) override { return true; }
  Result<void> put(const Digest&, std::span<const std::byte>) override { return {}; }
  std::filesystem::path path(const Digest&) const override { return {}; }
};

class AdversaryInputs : public ::testing::Test {
 protected:
  // A task whose names and checksums are those of `values`, as an aggregator chooses them for one client, and whose
  // digest is that of `agreed`, which the whole cohort signs.
  static messages::TrainTask task_of(const std::vector<float>& values, const std::vector<float>& agreed) {
    messages::TrainTask out;
    out.inputs = {{"model",
                   vector_digest(values),
                   values.size() * sizeof(float),
                   checksum(std::span<const float>(values)),
                   {}}};
    out.inputs[0].values = vector_digest(agreed);
    return out;
  }
  void fetch(const messages::TrainTask& task, const std::vector<float>& values) {
    const auto shared = std::make_shared<const messages::TrainTask>(task);
    inputs_.keep({shared, task.inputs[0].vector, 0}, std::as_bytes(std::span(values)));
    ASSERT_TRUE(inputs_.verify({shared, task.inputs[0].vector})) << "name and checksum match";
  }

  NoArchives archives_;
  TaskInputs inputs_{archives_, {}};
  std::vector<float> agreed_ = std::vector<float>(500, 1), other_ = std::vector<float>(500, 2);
};

TEST_F(AdversaryInputs, AnotherModelUnderTheCohortsDigestIsNotTrainedOn) {
  const auto task = task_of(other_, agreed_);
  fetch(task, other_);
  const auto checked = inputs_.check_values(task);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::refused);
  const auto honest = task_of(agreed_, agreed_);
  fetch(honest, agreed_);
  EXPECT_TRUE(inputs_.check_values(honest));
}

// Nothing is fetched for the second task, so that its checksum is not compared.
TEST_F(AdversaryInputs, AHeldVectorUnderAnotherDigestIsNotTrainedOn) {
  fetch(task_of(other_, other_), other_);
  EXPECT_TRUE(inputs_.check_values(task_of(other_, other_)));
  messages::TrainTask next = task_of(agreed_, agreed_);
  next.inputs[0].vector = vector_digest(other_);
  ASSERT_EQ(inputs_.held().size(), 1U);
  EXPECT_EQ(inputs_.held()[0].vector, next.inputs[0].vector);
  EXPECT_FALSE(inputs_.check_values(next));
}

}  // namespace
}  // namespace hansa::client
