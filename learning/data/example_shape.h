// What the tensors of an example look like: names, types and sizes.
//
// An example is a list of named tensors. Those with the role input are what forward() takes, those with the role target
// are what the loss compares its result with. A tensor of variable length is padded by its source to a fixed length, and
// a further input says which places are filled.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/data_description.h"

namespace hansa::learning {

// A label of a place that no loss and no metric counts, such as padding: that of PyTorch's cross-entropy.
inline constexpr std::int64_t ignored_label = -100;

struct TensorSpec {
  std::string name;  // the argument of forward() or training_loss() that takes it
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;  // dimensions of one example; empty: a scalar
  // Of a target of type int64: its values are class labels, 0 to class_count - 1 or ignored_label. Otherwise 0.
  std::int64_t class_count = 0;

  [[nodiscard]] std::size_t elements() const;  // of one example
  [[nodiscard]] std::size_t bytes() const;  // of one example
  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

// "`x`: float32 [12, 6]"
[[nodiscard]] std::string text_of(const TensorSpec& spec);

struct ExampleShape {
  std::vector<TensorSpec> inputs;  // at least one
  std::vector<TensorSpec> targets;  // may be empty: then the model needs a training_loss() of its inputs

  [[nodiscard]] std::size_t size() const { return inputs.size() + targets.size(); }
  // The inputs, then the targets.
  [[nodiscard]] const TensorSpec& operator[](std::size_t tensor) const {
    return tensor < inputs.size() ? inputs[tensor] : targets[tensor - inputs.size()];
  }
  [[nodiscard]] std::size_t input_bytes() const;  // of all inputs of one example
  [[nodiscard]] std::size_t bytes() const;  // of one example
  friend bool operator==(const ExampleShape&, const ExampleShape&) = default;
};

// "`x`: float32 [12, 6], `mask`: boolean [12]"
[[nodiscard]] std::string text_of(std::span<const TensorSpec> specs);

// The target "y" of class labels, or of real numbers.
[[nodiscard]] TensorSpec class_target(std::int64_t class_count, std::vector<std::int64_t> shape = {});
[[nodiscard]] TensorSpec real_target(std::vector<std::int64_t> shape = {});
// The input "x", float32, and this target.
[[nodiscard]] ExampleShape one_input(std::vector<std::int64_t> shape, TensorSpec target);

}  // namespace hansa::learning
