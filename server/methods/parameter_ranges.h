// The trained values of a model, which methods correct, and its buffers, which they do not.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "server/optimizers/optimizer_config.h"

namespace hansa::server {

// Calls work(offset, count) for the ranges of [first, first + values) that are outside of the buffers; offsets are relative to
// `first`. buffers: in ascending order, without overlap.
template <class Work>
void for_trained(std::span<const ServerOptimizerConfig::Range> buffers, std::size_t first, std::size_t values,
                 const Work& work) {
  const std::size_t end = first + values;
  auto buffer = std::ranges::partition_point(
      buffers, [&](const ServerOptimizerConfig::Range& range) { return range.first + range.count <= first; });
  for (std::size_t at = first; at < end;) {
    const std::size_t next = buffer == buffers.end() ? end : std::clamp(buffer->first, at, end);
    if (next > at) work(at - first, next - at);
    if (next == end) return;
    at = std::min(buffer->first + buffer->count, end);
    ++buffer;
  }
}

}  // namespace hansa::server
