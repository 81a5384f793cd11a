// Checks that the values of an archive have the types that its code was compiled for. LibTorch stores the values that an
// archive names without a check, and its code then reads the attributes of an object by their position: an object of
// another class would be read behind its end. Includes LibTorch.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

namespace hansa::learning {

struct ValueFault {
  std::string what;  // printable
  std::string hint;
};

// The bytes of the memory in which a tensor lies.
using MemoryOf = std::function<std::size_t(const at::Tensor&)>;
// Those of its storage, which an archive claims.
[[nodiscard]] std::size_t claimed_bytes(const at::Tensor& tensor);

// The first fault of `values` and of all values in them: an attribute or an element of another type than declared, or a
// tensor that is sparse, quantised or larger than its memory. Call it when the archive is read to its end, because
// a list may grow after it was put into an object. Terminates also for lists that contain themselves.
[[nodiscard]] std::optional<ValueFault> find_fault(const c10::IValue& values,
                                                   const MemoryOf& memory_of = claimed_bytes);

}  // namespace hansa::learning
