// How an epoch is cut into batches. Torch-free.
#pragma once
#include <cstddef>
#include <vector>

namespace hansa::learning {

struct EpochCut {
  std::size_t examples = 0;  // at least 1
  std::size_t batch_size = 1;
  std::size_t batch_size_min = 1;  // batch norm cannot train on 1
};

// Where each batch ends: batches of batch_size and one with the rest. A rest smaller than
// batch_size_min joins the batch before it. Positions rise, the last is examples.
[[nodiscard]] std::vector<std::size_t> batch_ends(const EpochCut& cut);
[[nodiscard]] std::size_t largest_batch(const std::vector<std::size_t>& ends);

}  // namespace hansa::learning
