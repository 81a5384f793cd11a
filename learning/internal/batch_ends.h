// Divides an epoch into batches. Torch-free.
#pragma once
#include <cstddef>
#include <vector>

namespace hansa::learning {

struct EpochCut {
  std::size_t examples = 0;  // at least 1
  std::size_t batch_size = 1;
  std::size_t batch_size_min = 1;  // batch normalisation cannot train on 1
};

// Returns the end of each batch: batches of batch_size examples and one with the remainder. A remainder smaller than
// batch_size_min joins the previous batch. The ends increase, and the last one is `examples`.
[[nodiscard]] std::vector<std::size_t> batch_ends(const EpochCut& cut);
[[nodiscard]] std::size_t largest_batch(const std::vector<std::size_t>& ends);

}  // namespace hansa::learning
