// FedNova (Wang et al., NeurIPS 2020, equations 6 and 7) on the aggregator: the model moves by
//   (sum_i p_i a_i) * sum_i p_i delta_i / a_i
// where p_i is client i's fraction of the examples and a_i the norm of its accumulated steps.
//
// A client sends delta_i * (a_ref / a_i), where a_ref belongs to the task's number of reference steps, and the metric
// "normalisation", a_i / a_ref - 1. The mean of the deltas is multiplied by 1 plus the mean of the metric. If all clients make
// the reference steps, both factors are exactly 1 and the model is FedAvg's, bit for bit.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "server/methods/server_method.h"

namespace hansa::server {

class FedNova final : public ServerMethod {
 public:
  static constexpr std::string_view metric = "normalisation";
  // The reference is the cohort's longest training, as its reports tell, so that an honest mean is about 1 at most. What clients
  // claim may not scale the model's step without a limit.
  static constexpr double factor_max = 4;

  // Fails (protocol) unless the metrics of a single update, of this many examples, have "normalisation" once, for all of
  // the examples, and with a mean that a client can have: above -1, because it has made a step, and at most factor_max - 1,
  // because it counts no more.
  [[nodiscard]] static Result<void> check(const Metrics& metrics, std::uint64_t examples);

  explicit FedNova(std::vector<ServerOptimizerConfig::Range> buffers) : buffers_(std::move(buffers)) {}
  [[nodiscard]] std::unique_ptr<const Mean> correct(const Mean& delta, const RoundTotals& totals,
                                                    std::span<const std::span<float>> state) const override;

 private:
  std::vector<ServerOptimizerConfig::Range> buffers_;
};

}  // namespace hansa::server
