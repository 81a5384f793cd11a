#include "server/methods/fed_dyn.h"

#include "server/methods/parameter_ranges.h"
#include "server/optimizers/mean_blocks.h"
#include "server/optimizers/to_float.h"

namespace hansa::server {
namespace {

class SumOfMeanAndVector final : public Mean {
 public:
  SumOfMeanAndVector(const Mean& mean, std::span<const float> vector) : mean_(mean), vector_(vector) {}
  [[nodiscard]] std::size_t elements() const override { return mean_.elements(); }
  void read(std::size_t first, std::span<double> out) const override {
    mean_.read(first, out);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += static_cast<double>(vector_[first + i]);
  }

 private:
  const Mean& mean_;
  std::span<const float> vector_;  // zero where the model has buffers
};

}  // namespace

std::unique_ptr<const Mean> FedDyn::correct(const Mean& delta, const RoundTotals& totals,
                                            std::span<const std::span<float>> state) const {
  const std::span<float> drift = state[0];
  const double part = static_cast<double>(totals.updates) / static_cast<double>(totals.clients);
  for_mean_blocks(workers_, delta, [&](std::size_t first, std::span<const double> values) {
    for_trained(buffers_, first, values.size(), [&](std::size_t at, std::size_t count) {
      for (std::size_t i = at; i < at + count; ++i)
        drift[first + i] = to_float(static_cast<double>(drift[first + i]) + part * values[i]);
    });
  });
  return std::make_unique<SumOfMeanAndVector>(delta, drift);
}

}  // namespace hansa::server
