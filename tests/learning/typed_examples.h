// A model of typed tensors that is trained for one step and compared with PyTorch's own methods. Includes LibTorch.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/script.h>

#include "learning/data/dense_source.h"
#include "learning/trainer.h"
#include "tests/data/data_files.h"

namespace hansa::learning::testing {

[[nodiscard]] TensorSpec spec(std::string name, ElementType type, std::vector<std::int64_t> shape,
                              std::int64_t classes = 0);

class TypedExamples : public ::testing::Test {
 protected:
  static constexpr std::int64_t examples = 12;

  // An embedding of 5 x 4, a weight of 3 x 4 and methods in TorchScript.
  void model(const std::string& methods) const;
  // Deterministic values, different for each tensor.
  void data(const ExampleShape& shape);

  [[nodiscard]] Result<TrainingResult> train();
  [[nodiscard]] std::string refusal();
  [[nodiscard]] Metrics evaluated() const;
  // The delta after one step on all examples, by PyTorch's own methods. loss(module) -> tensor
  using Loss = std::function<at::Tensor(torch::jit::Module&)>;
  [[nodiscard]] std::vector<float> expected(const Loss& loss) const;
  // Tensor t of all examples.
  [[nodiscard]] at::Tensor tensor(std::size_t t) const;
  void expect_trained_as(const Loss& loss);

  const TemporaryFolder folder_;
  const std::filesystem::path archive_ = folder_ / "model.pt";
  Examples examples_;
  std::vector<float> delta_;
};

}  // namespace hansa::learning::testing
