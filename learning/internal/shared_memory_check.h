// Which parameters share memory with other tensors of a model. Includes LibTorch.
//
// Training gives each parameter memory of its own (LoadedModel::bind_trainables). Where an archive stores two tensors in the same
// bytes, their values can differ afterwards, and the archive's records cannot hold both.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

namespace hansa::learning {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

// The name of the first of `own` that shares bytes with another one, with a tensor of `others`, or whose own values share
// bytes. Tensors that use different bytes of one memory share none.
[[nodiscard]] std::optional<std::string> find_shared_memory(std::span<const NamedTensor> own,
                                                            std::span<const at::Tensor> others);

// Appends the tensors with memory in `values` and in all values in it.
void collect_tensors(const c10::IValue& values, std::vector<at::Tensor>& out);

}  // namespace hansa::learning
