#include "server/methods/fed_nova.h"

#include <algorithm>
#include <string>

#include "server/methods/parameter_ranges.h"

namespace hansa::server {
namespace {

class ScaledMean final : public Mean {
 public:
  ScaledMean(const Mean& whole, double factor, std::span<const ServerOptimizerConfig::Range> buffers)
      : whole_(whole), factor_(factor), buffers_(buffers) {}
  [[nodiscard]] std::size_t elements() const override { return whole_.elements(); }
  void read(std::size_t first, std::span<double> out) const override {
    whole_.read(first, out);
    if (factor_ == 1) return;
    for_trained(buffers_, first, out.size(), [&](std::size_t at, std::size_t count) {
      for (double& value : out.subspan(at, count)) value *= factor_;
    });
  }

 private:
  const Mean& whole_;
  double factor_;
  std::span<const ServerOptimizerConfig::Range> buffers_;
};

}  // namespace

Result<void> FedNova::check(const Metrics& metrics, std::uint64_t examples) {
  const auto wrong = [](const char* what) {
    return fail(ErrorCode::protocol, "", std::string("its metric \"") + std::string(metric) + "\" " + what);
  };
  if (std::ranges::count(metrics, metric, &Metric::name) != 1) return wrong("must be there once");
  const Metric& found = *std::ranges::find(metrics, metric, &Metric::name);
  if (found.count != static_cast<double>(examples)) return wrong("is not for the update's examples");
  const double mean = found.sum / found.count;
  // A comparison with NaN is false.
  if (!(mean > -1 && mean <= factor_max - 1)) return wrong("cannot be that of a training");
  return {};
}

std::unique_ptr<const Mean> FedNova::correct(const Mean& delta, const RoundTotals& totals,
                                             std::span<const std::span<float>> /*state*/) const {
  const double excess = mean_of(totals.metrics, metric).value_or(0);
  return std::make_unique<ScaledMean>(delta, std::clamp(1 + excess, 0.0, factor_max), buffers_);
}

}  // namespace hansa::server
