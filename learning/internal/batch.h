// Reads batches into memory that is allocated once and reused for every step. Includes LibTorch.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "learning/data/data_source.h"
#include "learning/internal/model.h"

namespace hansa::learning {

class BatchReader {
 public:
  // `source` must outlive the reader. Images, which are float32 inputs of three dimensions, get the memory order.
  BatchReader(const DataSource& source, std::size_t batch_size_max, MemoryOrder order);
  // Reads at most batch_size_max examples. The tensors are valid until the next call.
  [[nodiscard]] Batch read(std::span<const std::uint32_t> indices);

 private:
  struct Part {
    MemoryOrder order = MemoryOrder::contiguous;
    std::vector<std::uint64_t>
        rows;  // row-major, as the source writes them; of 8 bytes each for the alignment
    at::Tensor reordered;  // channels last, if the memory order and the channel count need a copy
  };
  [[nodiscard]] at::Tensor tensor_of(Part& part, const TensorSpec& spec, std::size_t examples) const;

  const DataSource& source_;
  std::vector<Part> parts_;  // one for each tensor of an example
};

}  // namespace hansa::learning
