// Model archives for tests, and training by LibTorch's own optimiser to compare with. Torch-free header.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/training.h"
#include "learning/data/data_config.h"

namespace hansa::learning::testing {

enum class TestModel : std::uint8_t {
  linear,  // weights of zero; inputs features, 3 classes
  batch_norm,  // batch norm over the flat input, then linear
  dropout,  // linear behind dropout 0.5
  // linear; training_loss = 2 x cross-entropy; metrics = {"right": (correct, n), "ones": (n, n)}
  custom_loss,
  bad_metrics,  // metrics returns a number
  tied_weights,  // one weight under two names
  frozen_layer,  // a layer with requires_grad false before the linear
  counter,  // an integer attribute counts calls, and scales the output
  without_forward,
  without_parameters,
  double_precision,
  raises,  // forward raises an exception of its own
  tuple_output,  // forward returns scores and something else
  class_output,  // forward returns the class that wins
  argmax_loss,  // training_loss has no gradient
  vector_loss,  // training_loss returns a loss for each example
  gru,  // its weights stand in a list attribute too, as torch.nn.GRU's do
  two_conv1d,  // two convolutions over rows as channels, then linear
  nested_cnn,  // convolution, batch norm, ReLU and pools of several kinds as submodules' methods
};

struct ModelInput {
  std::int64_t rows = 4;
  std::int64_t columns = 4;
};

void write_archive(TestModel model, const std::filesystem::path& path, const ModelInput& input = {});

// What torch::optim::SGD makes of the archive, contiguous, with backward(), in the trainer's order of
// examples: local - global of the trainable parameters, in the archive's order.
[[nodiscard]] std::vector<float> reference_delta(const std::filesystem::path& archive, const DataConfig& data,
                                                 const TrainingConfig& config, std::uint64_t seed);

// The shape of forward()'s output for an input of ones.
[[nodiscard]] std::vector<std::int64_t> output_shape(const std::filesystem::path& archive,
                                                     const std::vector<std::int64_t>& input);

// The parameters as torch::jit::load finds them: what a user sees.
[[nodiscard]] std::vector<float> loaded_parameters(const std::filesystem::path& archive);

}  // namespace hansa::learning::testing
