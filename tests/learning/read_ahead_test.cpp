// Batches that another thread reads while one is trained on.
#include <gmock/gmock.h>

#include "learning/internal/batch.h"
#include "tests/data/numbered_files.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using testing::NumberedFiles;
using Indices = std::vector<std::uint32_t>;

std::vector<float> values_of_batch(const Batch& batch) {
  const at::Tensor& x = batch.inputs[0];
  return {x.data_ptr<float>(), x.data_ptr<float>() + x.numel()};
}

TEST(ReadAhead, ThePreparedBatchIsTheOneThatIsRead) {
  const NumberedFiles source(100);
  BatchReader reader(source, 4, MemoryOrder::contiguous);
  const Indices first{1, 2, 3}, second{7, 8};
  const auto now = reader.read(first, 10);
  ASSERT_TRUE(now);
  reader.prepare(second, 20);
  EXPECT_THAT(values_of_batch(*now), ElementsAre(11, 12, 13))
      << "the batch that is trained on is not touched";
  const auto next = reader.read(second, 20);
  ASSERT_TRUE(next);
  EXPECT_THAT(values_of_batch(*next), ElementsAre(27, 28));
  EXPECT_EQ(source.reads, 2);
  EXPECT_EQ(source.reads_elsewhere, 1);
}

TEST(ReadAhead, AnotherBatchThanThePreparedOneIsReadAgain) {
  const NumberedFiles source(100);
  BatchReader reader(source, 4, MemoryOrder::contiguous);
  const Indices prepared{1, 2}, other{1, 3};
  reader.prepare(prepared, 5);
  EXPECT_THAT(values_of_batch(reader.read(other, 5).value()), ElementsAre(6, 8));
  reader.prepare(prepared, 5);
  EXPECT_THAT(values_of_batch(reader.read(prepared, 6).value()), ElementsAre(7, 8)) << "another seed";
  reader.prepare(prepared, std::nullopt);
}

TEST(ReadAhead, AnErrorOfTheOtherThreadIsThatOfTheRead) {
  NumberedFiles source(100);
  source.damaged = {8};
  BatchReader reader(source, 4, MemoryOrder::contiguous);
  const Indices bad{7, 8}, good{1};
  reader.prepare(bad, std::nullopt);
  const auto failed = reader.read(bad);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().what, "is damaged");
  reader.prepare(bad, std::nullopt);
  EXPECT_TRUE(reader.read(good)) << "the error is of a batch that nobody asked for";
}

}  // namespace
}  // namespace hansa::learning
