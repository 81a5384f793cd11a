// Bulyan of Krum: El Mhamdi, Guerraoui, Rouault, "The Hidden Vulnerability of Distributed Learning in Byzantium" (ICML
// 2018), section 4. Krum chooses n - 2 f updates, one after the other, each among those that are left. Then each value is
// the mean of the n - 4 f chosen ones that are nearest to their median. All updates count equally.
#pragma once
#include "server/aggregation/robust/robust_rule.h"

namespace hansa::server {

class Bulyan final : public RobustRule {
 public:
  // faulty: f, the updates that may be wrong.
  explicit Bulyan(std::size_t faulty) : faulty_(faulty) {}
  [[nodiscard]] std::size_t updates_min() const override { return 4 * faulty_ + 3; }
  void estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                std::span<float> out) const override;

 private:
  std::size_t faulty_;
};

}  // namespace hansa::server
