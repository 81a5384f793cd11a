#include "learning/internal/held_out.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "common/held_out_metrics.h"
#include "learning/internal/batch.h"
#include "learning/internal/default_metrics.h"
#include "learning/internal/own_metrics.h"
#include "learning/internal/training_loop.h"

namespace hansa::learning {
namespace {

double bounded(double loss_sum, double count) {
  const double most = held_out_loss_most * count;
  return std::isnan(loss_sum) ? most : std::clamp(loss_sum, -most, most);
}

// measure(batch) -> Result<void>
template <class Function>
Result<void> for_each_batch(Model& model, const DataSource& held_out, const HeldOutRun& run,
                            const std::stop_token& stop, const Function& measure) {
  const at::NoGradGuard no_grad;
  const std::optional<RandomNumbersTurn> turn = take_turn(model, run.seed);
  model.set_training(false);
  std::vector<std::uint32_t> order(held_out.example_count());
  std::iota(order.begin(), order.end(), 0U);
  BatchReader reader(held_out, std::min(run.batch_size, order.size()), model.memory_order());
  for (std::size_t begin = 0; begin < order.size(); begin += run.batch_size) {
    if (stop.stop_requested())
      return fail(ErrorCode::resource, model.location(), "stopped", {}, {ReasonCode::stopped, {}});
    const std::size_t size = std::min(run.batch_size, order.size() - begin);
    HANSA_TRY(const Batch batch, reader.read(std::span(order).subspan(begin, size)));
    reader.prepare(following(order, begin + size, run.batch_size), std::nullopt);
    HANSA_TRY_VOID(measure(batch));
  }
  return {};
}

}  // namespace

Result<Metrics> measure_held_out(Model& model, const DataSource& held_out, const HeldOutNames& names,
                                 const HeldOutRun& run, const std::stop_token& stop) {
  DefaultMetrics measured;
  HANSA_TRY_VOID(for_each_batch(model, held_out, run, stop,
                                [&](const Batch& batch) { return measured.add(model, batch, held_out); }));
  Metrics out;
  for (const Metric& metric : measured.sums()) {
    const bool is_of_loss = metric.name == "loss";
    if (!is_of_loss && metric.name != "accuracy") continue;
    // An example with several labels counts once.
    const auto examples = static_cast<double>(held_out.example_count());
    if (is_of_loss) out.push_back({std::string(names.loss), bounded(metric.sum, metric.count), metric.count});
    else if (metric.count > 0)
      out.push_back({std::string(names.accuracy),
                     metric.count == examples ? metric.sum : metric.sum / metric.count * examples, examples});
  }
  return out;
}

Result<Metrics> measure_own_metrics(Model& model, const DataSource& held_out,
                                    std::span<const std::string> metrics, std::string_view prefix,
                                    const HeldOutRun& run, const std::stop_token& stop) {
  Metrics measured;
  if (model.traits().has_metrics)
    HANSA_TRY_VOID(for_each_batch(model, held_out, run, stop, [&](const Batch& batch) -> Result<void> {
      add_metrics(model.metrics(batch), measured);
      return {};
    }));
  const auto examples = static_cast<double>(held_out.example_count());
  Metrics out;
  for (const std::string& name : metrics) {
    const auto found = std::ranges::find(measured, name, &Metric::name);
    if (found == measured.end())
      return fail(ErrorCode::model, model.location(),
                  "its metrics() does not return \"" + name + "\", which its manifest names",
                  "sign the model with names that metrics() returns");
    const double mean = found->sum / found->count;
    if (std::isfinite(mean))
      out.push_back({std::string(prefix) + name,
                     std::clamp(mean, -held_out_loss_most, held_out_loss_most) * examples, examples});
  }
  return out;
}

}  // namespace hansa::learning
