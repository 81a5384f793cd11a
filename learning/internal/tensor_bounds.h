// LibTorch's unpickler trusts the sizes, strides and offset that a file gives for a tensor.
#pragma once
#include <cstdint>

namespace at {
class Tensor;
}

namespace hansa::learning {

// Whether all elements are within `bytes` bytes from the start of the tensor's storage.
[[nodiscard]] bool lies_within(const at::Tensor& tensor, std::uint64_t bytes);

}  // namespace hansa::learning
