// Batches that another thread reads while one is trained on.
#include <atomic>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>

#include "learning/internal/batch.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using Indices = std::vector<std::uint32_t>;

// Example i is the number i, plus the seed of the random changes.
class DecodedSource final : public DataSource {
 public:
  [[nodiscard]] std::uint64_t example_count() const override { return 100; }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return 0; }
  [[nodiscard]] std::string location() const override { return "decoded"; }
  [[nodiscard]] bool decodes() const override { return true; }
  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    return read_augmented(indices, tensors, 0);
  }
  [[nodiscard]] Result<void> read_augmented(std::span<const std::uint32_t> indices,
                                            std::span<const TensorBytes> tensors,
                                            std::uint64_t seed) const override {
    ++reads;
    if (std::this_thread::get_id() != own_) ++reads_elsewhere;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] == damaged) return fail(ErrorCode::data, "decoded", "is damaged");
      values_of<float>(tensors[0])[i] = static_cast<float>(indices[i] + seed);
    }
    return {};
  }

  std::uint32_t damaged = 1'000;
  mutable std::atomic<int> reads = 0;
  mutable std::atomic<int> reads_elsewhere = 0;

 private:
  ExampleShape shape_{{{"x", ElementType::float32, {1}, 0}}, {}};
  std::thread::id own_ = std::this_thread::get_id();
};

std::vector<float> values_of_batch(const Batch& batch) {
  const at::Tensor& x = batch.inputs[0];
  return {x.data_ptr<float>(), x.data_ptr<float>() + x.numel()};
}

TEST(ReadAhead, ThePreparedBatchIsTheOneThatIsRead) {
  const DecodedSource source;
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
  const DecodedSource source;
  BatchReader reader(source, 4, MemoryOrder::contiguous);
  const Indices prepared{1, 2}, other{1, 3};
  reader.prepare(prepared, 5);
  EXPECT_THAT(values_of_batch(reader.read(other, 5).value()), ElementsAre(6, 8));
  reader.prepare(prepared, 5);
  EXPECT_THAT(values_of_batch(reader.read(prepared, 6).value()), ElementsAre(7, 8)) << "another seed";
  reader.prepare(prepared, std::nullopt);
}

TEST(ReadAhead, AnErrorOfTheOtherThreadIsThatOfTheRead) {
  DecodedSource source;
  source.damaged = 8;
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
