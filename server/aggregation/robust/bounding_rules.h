// Rules that bound how far one update can move the model.
#pragma once
#include "server/aggregation/robust/robust_rule.h"

namespace hansa::server {

// The mean, weighted by examples, of updates that are scaled down to a largest norm: Sun et al., "Can You Really Backdoor
// Federated Learning?" (2019), section 4.
class NormBound final : public RobustRule {
 public:
  // norm: the largest Euclidean norm of an update; 0: the median of the norms of the round.
  explicit NormBound(double norm) : norm_(norm) {}
  [[nodiscard]] std::size_t updates_min() const override { return 1; }
  void estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                std::span<float> out) const override;

 private:
  double norm_;
};

// Centred clipping: Karimireddy, He, Jaggi, "Learning from History for Byzantine Robust Optimization" (ICML 2021), section
// 4. A pass moves the centre by the mean of the updates' differences to it, each scaled down to the radius. The first
// centre of a round is the last one of the round before. All updates count equally.
class CentredClipping final : public RobustRule {
 public:
  // radius: 0: in each pass, the median of the distances to the centre. passes: at least 1.
  CentredClipping(double radius, unsigned passes) : radius_(radius), passes_(passes) {}
  [[nodiscard]] std::size_t updates_min() const override { return 1; }
  void estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                std::span<float> out) const override;
  [[nodiscard]] bool is_recursive() const override { return true; }

 private:
  double radius_;
  unsigned passes_;
};

}  // namespace hansa::server
