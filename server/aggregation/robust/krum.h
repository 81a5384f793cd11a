// Krum and Multi-Krum: Blanchard et al., "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent" (NeurIPS
// 2017), sections 3 and 4. The score of an update is the sum of its squared distances to the n - f - 2 updates that are
// nearest to it, without itself. All updates count equally; of equal scores that of the first client by name is taken.
#pragma once
#include <vector>

#include "server/aggregation/robust/distances.h"
#include "server/aggregation/robust/robust_rule.h"

namespace hansa::server {

namespace internal {
// The scores of those of `among` (indices of the matrix), each compared with the others of `among` only. With fewer than
// one neighbour by the formula, the nearest one counts.
[[nodiscard]] std::vector<double> krum_scores(const DistanceMatrix& distances,
                                              std::span<const std::size_t> among, std::size_t faulty);
}  // namespace internal

// The mean of the updates with the best scores; of one of them: Krum.
class Krum final : public RobustRule {
 public:
  // faulty: f, the updates that may be wrong. chosen: how many updates are averaged; 0: n - f, as in the paper's figures.
  Krum(std::size_t faulty, std::size_t chosen) : faulty_(faulty), chosen_(chosen) {}
  // 2 f + 3: proposition 4.2 of the paper.
  [[nodiscard]] std::size_t updates_min() const override;
  void estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                std::span<float> out) const override;

 private:
  std::size_t faulty_, chosen_;
};

}  // namespace hansa::server
