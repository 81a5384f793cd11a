// What a built-in model consists of: modules with parameters and TorchScript code. Torch-free header.
//
// A module with code is called as `self.NAME.forward(x)`. Random values are drawn in the order of the recipe, a module's
// own parameters before those of its parts.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "learning/built_in/initial_values.h"

namespace hansa::learning::built_in {

struct Parameter {
  std::string name;
  std::vector<std::int64_t> shape;
  Initial initial;
};

struct Part {
  std::string
      name;  // without dots; the parameter layer1.0.conv1.weight is `weight` of a part of a part of a part
  std::vector<Parameter> parameters;
  std::vector<Part> parts = {};
  std::string code = {};  // its methods; empty if the code around it uses its parameters
};

struct Recipe {
  std::vector<Part> parts;
  std::string code;  // defines forward, and training_loss and metrics if the model has its own
};

// `weight` and `bias`, initialised by kaiming_uniform with a = sqrt(5), as torch::nn::Linear and Conv are (He et al.
// 2015). The first dimension of `weight` is the number of outputs, which is also the length of the bias.
[[nodiscard]] Part layer(std::string name, std::vector<std::int64_t> weight);

struct LinearSize {
  std::int64_t inputs, outputs;
};
// A layer() that is called.
[[nodiscard]] Part linear(std::string name, LinearSize size);
// The same with other initial weights, and a bias of zero.
[[nodiscard]] Part linear(std::string name, LinearSize size, Initial weight);

struct Grouping {
  std::int64_t channels, groups;  // groups divides channels
};
// Group normalisation (Wu, He 2018): weight 1, bias 0. Unlike batch normalisation it does not depend on how the classes
// of a batch are distributed, which differs between clients (Hsieh et al. 2020).
[[nodiscard]] Part group_norm(std::string name, Grouping grouping);

// Calls its parts in their order, and names them 0, 1, ..., as torch::nn::Sequential does.
[[nodiscard]] Part sequence(std::string name, std::vector<Part> parts);

}  // namespace hansa::learning::built_in
