// Reads batches into memory that is allocated once and reused for every step. Includes LibTorch.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <future>
#include <optional>
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
  ~BatchReader();
  BatchReader(const BatchReader&) = delete;
  BatchReader& operator=(const BatchReader&) = delete;

  // Reads at most batch_size_max examples. The tensors are valid until the next call. With a seed they have the random changes
  // that the data's configuration asks for.
  [[nodiscard]] Result<Batch> read(std::span<const std::uint32_t> indices,
                                   std::optional<std::uint64_t> seed = std::nullopt);
  // Announces what the next read() will probably be called with. If the source decodes, another thread begins to read it.
  void prepare(std::span<const std::uint32_t> indices, std::optional<std::uint64_t> seed);

 private:
  // Row-major, as the source writes them; of 8 bytes each for the alignment.
  using Rows = std::vector<std::uint64_t>;
  struct Part {
    MemoryOrder order = MemoryOrder::contiguous;
    Rows rows;
    Rows next_rows;  // those that are read ahead
    at::Tensor reordered;  // channels last, if the memory order and the channel count need a copy
  };
  [[nodiscard]] Result<void> read_rows(std::span<const std::uint32_t> indices,
                                       std::optional<std::uint64_t> seed, Rows Part::*rows);
  [[nodiscard]] at::Tensor tensor_of(Part& part, const TensorSpec& spec, std::size_t examples) const;

  const DataSource& source_;
  std::vector<Part> parts_;  // one for each tensor of an example
  std::future<Result<void>> ahead_;  // valid: the next rows are being read
  std::vector<std::uint32_t> ahead_indices_;
  std::optional<std::uint64_t> ahead_seed_;
};

// The next batch of at most `size` examples after the first `done`; may be empty.
[[nodiscard]] inline std::span<const std::uint32_t> following(std::span<const std::uint32_t> order,
                                                              std::size_t done, std::size_t size) {
  const auto rest = order.subspan(std::min(done, order.size()));
  return rest.first(std::min(size, rest.size()));
}

}  // namespace hansa::learning
