// Reads batches into memory that is allocated once and reused for every step. Includes LibTorch.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "learning/data/data_source.h"
#include "learning/internal/model.h"

namespace hansa::learning {

struct Batch {
  at::Tensor inputs;  // n x shape, float32
  at::Tensor targets;  // n, int64; or n x shape, float32
};

class BatchReader {
 public:
  // `source` must outlive the reader.
  BatchReader(const DataSource& source, std::size_t batch_size_max, MemoryOrder order);
  // Reads at most batch_size_max examples. The tensors are valid until the next call.
  [[nodiscard]] Batch read(std::span<const std::uint32_t> indices);
  // The class labels of the last batch; empty for real targets.
  [[nodiscard]] std::span<const std::int64_t> labels() const;

 private:
  const DataSource& source_;
  MemoryOrder order_;
  std::size_t size_ = 0;
  std::vector<float> rows_;  // row-major, as the source writes them
  at::Tensor inputs_;  // channels last, if the memory order and the channel count need a copy
  std::vector<std::int64_t> labels_;
  std::vector<float> values_;
};

}  // namespace hansa::learning
