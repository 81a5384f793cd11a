// Model archives for tests of personalisation and of representations. Torch-free header.
#pragma once
#include <cstdint>
#include <filesystem>

namespace hansa::learning::testing {

struct TwoLayers {
  std::int64_t inputs = 4;
  std::int64_t hidden = 3;
  std::int64_t classes = 3;
  bool has_representation = false;  // representation(x) returns the hidden values
  bool has_training_loss = false;  // the cross-entropy, as without one
};
// head.weight * tanh(body.weight * x), without biases.
void write_two_layers(const std::filesystem::path& path, const TwoLayers& shape);

// Layers that normalise, and some that do not, for four inputs and three classes:
//   b1                 a BatchNorm1d of PyTorch
//   other.b2           one more, whose class has a mangled name
//   scale, shift       normalised by a function: layer normalisation in forward()
//   bn                 a linear layer
//   norm.weight        an unused layer with the class LayerNorm
void write_normalising(const std::filesystem::path& path);

}  // namespace hansa::learning::testing
