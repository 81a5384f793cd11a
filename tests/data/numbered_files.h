// Data that is decoded when it is read, some of which is damaged.
#pragma once
#include <atomic>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <thread>

#include "learning/data/data_source.h"

namespace hansa::learning::testing {

// Example i is the number i, plus the seed of its random changes, with the label 10 i. Two examples are in a file.
class NumberedFiles final : public DataSource {
 public:
  explicit NumberedFiles(std::uint32_t count) : count_(count) {}
  [[nodiscard]] std::uint64_t example_count() const override { return count_; }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return 0; }
  [[nodiscard]] std::string location() const override { return "files"; }
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
      if (damaged.contains(indices[i]))
        return fail(ErrorCode::data, "file " + std::to_string(indices[i] / 2), "is damaged", "copy it again",
                    {because, {{Quantity::example, indices[i]}}});
      if (!tensors[0].empty())
        learning::values_of<float>(tensors[0])[i] = static_cast<float>(indices[i] + seed);
      if (!tensors[1].empty())
        learning::values_of<std::int64_t>(tensors[1])[i] = std::int64_t{10} * indices[i];
    }
    return {};
  }

  std::set<std::uint32_t> damaged;
  ReasonCode because = ReasonCode::example_invalid;
  mutable std::atomic<int> reads = 0;
  mutable std::atomic<int> reads_elsewhere = 0;  // by other threads than the one that made it

 private:
  std::uint32_t count_;
  ExampleShape shape_ = one_input({1}, class_target(1'000));
  std::thread::id own_ = std::this_thread::get_id();
};

}  // namespace hansa::learning::testing
