// Rules that treat each value by itself: Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical
// Rates" (ICML 2018), definitions 1 and 2. All updates count equally.
#pragma once
#include "server/aggregation/robust/robust_rule.h"

namespace hansa::server {

// The median of each value; of two in the middle their mean.
class CoordinateMedian final : public RobustRule {
 public:
  [[nodiscard]] std::size_t updates_min() const override { return 1; }
  void estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                std::span<float> out) const override;
};

// The mean of each value without the largest and the smallest ones.
class TrimmedMean final : public RobustRule {
 public:
  // fraction: of the updates, on each side: above 0, below 0.5. It is rounded down, but at least one is left out.
  explicit TrimmedMean(double fraction) : fraction_(fraction) {}
  [[nodiscard]] std::size_t updates_min() const override { return 3; }
  void estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                std::span<float> out) const override;
  // Left out on each side, of `count` updates.
  [[nodiscard]] std::size_t trimmed(std::size_t count) const;

 private:
  double fraction_;
};

}  // namespace hansa::server
