// Model archives for tests, and training by LibTorch's own optimiser for comparison. Torch-free header.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/training.h"
#include "learning/data/data_config.h"

namespace hansa::learning::testing {

enum class TestModel : std::uint8_t {
  linear,  // all weights zero; `inputs` features, 3 classes
  batch_norm,  // batch normalisation of the flat input, then linear
  dropout,  // dropout 0.5, then linear
  // linear; training_loss = 2 x cross-entropy; metrics = {"right": (correct, n), "ones": (n, n)}
  custom_loss,
  bad_metrics,  // metrics returns a number
  tied_weights,  // one weight with two names
  frozen_layer,  // a layer with requires_grad false, then linear
  counter,  // an integer attribute counts calls and scales the output
  without_forward,
  without_parameters,
  double_precision,
  raises,  // forward raises an exception
  tuple_output,  // forward returns the scores and a second value
  class_output,  // forward returns the predicted class
  argmax_loss,  // training_loss has no gradient
  raises_data,  // training_loss fails with the first value of the first example in the error
  vector_loss,  // training_loss returns one loss for each example
  squeezing_loss,  // forward returns [n, 1], and training_loss makes it [n]
  broadcasting_loss,  // forward returns [n, 1], and training_loss subtracts targets of the shape [n]
  gru,  // its weights are also in a list attribute, as in torch.nn.GRU
  two_conv1d,  // two convolutions with rows as channels, then linear
  nested_cnn,  // convolution, batch normalisation, ReLU and several kinds of pools, as methods of submodules
};

struct ModelInput {
  std::int64_t rows = 4;
  std::int64_t columns = 4;
};

void write_archive(TestModel model, const std::filesystem::path& path, const ModelInput& input = {});

// Trains the archive, in contiguous memory, by torch::optim::SGD and backward(), with the trainer's order of examples.
// Returns local - global of the trainable parameters, in the archive's order.
[[nodiscard]] std::vector<float> reference_delta(const std::filesystem::path& archive, const DataConfig& data,
                                                 const TrainingConfig& config, std::uint64_t seed);

// The shape of forward()'s output for an input of ones.
[[nodiscard]] std::vector<std::int64_t> output_shape(const std::filesystem::path& archive,
                                                     const std::vector<std::int64_t>& input);

// The parameters as torch::jit::load returns them to a user.
[[nodiscard]] std::vector<float> loaded_parameters(const std::filesystem::path& archive);

}  // namespace hansa::learning::testing
