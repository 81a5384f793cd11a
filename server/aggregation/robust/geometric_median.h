// The weighted geometric median by the smoothed Weiszfeld algorithm: Pillutla, Kakade, Harchaoui, "Robust Aggregation for
// Federated Learning" (IEEE Transactions on Signal Processing, 2022), algorithm 2 (RFA). It begins at the mean. A pass
// gives each update the weight examples / max(smoothing, distance to the estimate).
#pragma once
#include "server/aggregation/robust/robust_rule.h"

namespace hansa::server {

class GeometricMedian final : public RobustRule {
 public:
  struct Options {
    unsigned passes_max = 4;  // at least 1
    double smoothing = 1e-5;  // above 0
    double tolerance = 1e-6;  // ends when the sum of the distances falls by less than this part
  };
  explicit GeometricMedian(const Options& options) : options_(options) {}
  [[nodiscard]] std::size_t updates_min() const override { return 1; }
  void estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                std::span<float> out) const override;

 private:
  Options options_;
};

}  // namespace hansa::server
