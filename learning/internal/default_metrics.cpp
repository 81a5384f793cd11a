#include "learning/internal/default_metrics.h"

#include "learning/internal/loss.h"

namespace hansa::learning {

Result<void> DefaultMetrics::add(Model& model, const Batch& batch, const DataSource& source) {
  HANSA_TRY(LossOfBatch computed, loss_of_batch(model, batch, source));
  // A model with a training_loss() may return anything from forward().
  if (!computed.output.defined() && batch.targets.size() == 1 && model.traits().loss_takes_targets)
    computed.output = main_output(model.forward(batch));
  loss_ += computed.loss.item<double>() * static_cast<double>(batch.examples);
  examples_ += batch.examples;
  accuracy_.add(computed.output, batch, computed.has_logits);
  has_numbers_ = has_numbers_ && batch.targets.size() == 1 &&
                 kind_of(computed.output, batch.targets[0]) == OutputKind::numbers;
  if (!has_numbers_) return {};
  const at::Tensor error =
      computed.output.reshape(batch.targets[0].sizes()).to(at::kDouble) - batch.targets[0].to(at::kDouble);
  absolute_ += error.abs().sum().item<double>();
  squared_ += error.square().sum().item<double>();
  numbers_ += static_cast<std::uint64_t>(error.numel());
  return {};
}

Metrics DefaultMetrics::sums() const {
  Metrics out{{"loss", loss_, static_cast<double>(examples_)}};
  if (const auto accuracy = accuracy_.metric()) out.push_back(*accuracy);
  if (!has_numbers_ || numbers_ == 0) return out;
  const auto count = static_cast<double>(numbers_);
  out.push_back({"mae", absolute_, count});
  out.push_back({"mse", squared_, count});
  return out;
}

}  // namespace hansa::learning
