// The model of write_two_layers() in double precision, with gradients by central differences: what methods compute is compared
// with it. Every batch is the whole data, so that the order of the examples does not matter.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "learning/data/data_config.h"
#include "tests/learning/method_archives.h"

namespace hansa::learning::testing {

using Values = std::vector<double>;  // body.weight, then head.weight
using Loss = std::function<double(const Values&)>;

class TwoLayerReference {
 public:
  TwoLayerReference(const DataConfig& data, TwoLayers shape);

  [[nodiscard]] std::size_t body_size() const {
    return static_cast<std::size_t>(shape_.hidden * shape_.inputs);
  }
  // The mean cross-entropy.
  [[nodiscard]] double loss(const Values& values) const;
  // Of each example: the hidden values, or the scores.
  enum class Of : std::uint8_t { hidden, scores };
  [[nodiscard]] std::vector<Values> representations(const Values& values, Of of) const;
  [[nodiscard]] static Values gradient(const Loss& loss, Values at);

 private:
  TwoLayers shape_;
  std::vector<Values> inputs_;
  std::vector<std::size_t> labels_;
};

}  // namespace hansa::learning::testing
