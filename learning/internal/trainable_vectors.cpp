#include "learning/internal/trainable_vectors.h"

#include <algorithm>
#include <iterator>

namespace hansa::learning {

std::vector<std::vector<float>> by_trainable(const Model& model, std::span<const float> values) {
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> shared = model.tensors();
  std::vector<std::vector<float>> out;
  for (const Model::Trainable& trainable : model.trainables()) {
    std::vector<float>& own = out.emplace_back();
    const auto found = std::ranges::find_if(
        shared, [&](const at::Tensor& tensor) { return same_memory(tensor, trainable.tensor); });
    if (found == shared.end()) continue;  // personal, or without values
    const ParameterEntry& entry =
        model.layout().entries()[static_cast<std::size_t>(std::distance(shared.begin(), found))];
    own.resize(trainable.memory.size());
    // copy_ only reads its source, but from_blob takes no const pointer.
    float* source = const_cast<float*>(values.data()) + entry.offset;
    at::from_blob(own.data(), trainable.tensor.sizes(), trainable.tensor.strides(), at::kFloat)
        .copy_(at::from_blob(source, entry.shape, at::kFloat));
  }
  return out;
}

}  // namespace hansa::learning
