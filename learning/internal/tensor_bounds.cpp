#include "learning/internal/tensor_bounds.h"

#include <ATen/core/Tensor.h>

namespace hansa::learning {

bool lies_within(const at::Tensor& tensor, std::uint64_t bytes) {
  if (tensor.storage_offset() < 0) return false;
  const std::uint64_t room = bytes / tensor.element_size();
  auto last = static_cast<std::uint64_t>(tensor.storage_offset());
  bool is_empty = false;
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    if (tensor.size(i) < 0 || tensor.stride(i) < 0) return false;
    if (tensor.size(i) == 0) is_empty = true;
  }
  if (is_empty) return true;
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    const auto steps = static_cast<std::uint64_t>(tensor.size(i) - 1);
    const auto stride = static_cast<std::uint64_t>(tensor.stride(i));
    if (stride != 0 && steps > room / stride) return false;
    last += steps * stride;
    if (last >= room) return false;
  }
  return last < room;
}

}  // namespace hansa::learning
