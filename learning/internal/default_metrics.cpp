#include "learning/internal/default_metrics.h"

#include "learning/internal/loss.h"

namespace hansa::learning {

Result<void> DefaultMetrics::add(Model& model, const Batch& batch, std::span<const std::int64_t> labels,
                                 const DataSource& source) {
  HANSA_TRY(LossOfBatch computed, loss_of_batch(model, batch, source));
  if (!computed.output.defined() && !labels.empty() && scored_) {
    // A model with a training_loss() may return anything from forward().
    const c10::IValue output = model.forward(batch.inputs);
    if (output.isTensor()) computed.output = output.toTensor();
  }
  const auto size = static_cast<std::uint64_t>(batch.inputs.size(0));
  loss_ += computed.loss.item<double>() * static_cast<double>(size);
  examples_ += size;
  scored_ = scored_ && has_class_scores(computed.output, labels);
  if (scored_) correct_ += count_correct(computed.output, labels);
  return {};
}

Metrics DefaultMetrics::sums() const {
  const auto count = static_cast<double>(examples_);
  Metrics out{{"loss", loss_, count}};
  if (scored_ && examples_ > 0) out.push_back({"accuracy", static_cast<double>(correct_), count});
  return out;
}

}  // namespace hansa::learning
