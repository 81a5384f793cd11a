// The mean of the middle half of each value's updates (interquartile mean): an example of an aggregation of your own.
#pragma once
#include <algorithm>

#include "server/aggregation/robust/coordinates.h"
#include "server/aggregation/robust/robust_rule.h"
#include "server/aggregation/robust/vectors_of.h"

namespace hansa::server {

// All updates count equally. Up to a quarter of them on each side, however wrong, cannot lead the estimate away.
class MiddleHalf final : public RobustRule {
 public:
  [[nodiscard]] std::size_t updates_min() const override { return 4; }
  void estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                std::span<float> out) const override {
    const std::size_t left_out = updates.size() / 4;
    internal::for_coordinates(internal::vectors_of(updates), workers, out, [&](std::span<float> values) {
      std::ranges::sort(values);
      double sum = 0;
      for (const float value : values.subspan(left_out, values.size() - 2 * left_out))
        sum += static_cast<double>(value);
      return static_cast<float>(sum / static_cast<double>(values.size() - 2 * left_out));
    });
  }
};

}  // namespace hansa::server
