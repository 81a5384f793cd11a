// A mean in blocks that stay in a core's cache, on a worker pool.
#pragma once
#include <algorithm>
#include <array>
#include <span>

#include "server/aggregation/mean.h"
#include "server/aggregation/worker_pool.h"

namespace hansa::server {

// Calls work(first, values) for blocks that cover the mean; on several threads, each with blocks of its own. values may
// be overwritten.
template <class Work>
void for_mean_blocks(WorkerPool& workers, const Mean& mean, const Work& work) {
  constexpr std::size_t block_values = 2'048;  // 16 KiB, on the stack
  workers.for_slices(mean.elements(), [&](std::size_t first, std::size_t last) {
    std::array<double, block_values> block;
    for (std::size_t at = first; at < last; at += block_values) {
      const std::span values(block.data(), std::min(block_values, last - at));
      mean.read(at, values);
      work(at, values);
    }
  });
}

}  // namespace hansa::server
