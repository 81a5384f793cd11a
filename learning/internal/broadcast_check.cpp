#include "learning/internal/broadcast_check.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "common/random.h"
#include "learning/internal/batch.h"
#include "learning/internal/loaded_model.h"
#include "learning/internal/torch_guard.h"

namespace hansa::learning {
namespace {

constexpr std::uint64_t batch_size = 4;

std::string shape_text(at::IntArrayRef sizes) {
  std::string out = "[";
  for (const std::int64_t size : sizes) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

double loss_of(Model& model, const Batch& batch, const at::Tensor& target) {
  const Batch changed{batch.shape, batch.examples, batch.inputs, {target}};
  const c10::IValue loss = model.training_loss(changed);
  return loss.isTensor() ? loss.toTensor().to(at::kDouble).sum().item<double>() : loss.toDouble();
}

double spread_of(const at::Tensor& values) {
  return (values.max().to(at::kDouble) - values.min().to(at::kDouble)).item<double>();
}

enum class Pairing : std::uint8_t { by_example, with_all, unclear };

// Whether the loss depends on which example each target belongs to. Real targets are replaced by the outputs, of which the
// right pairs differ most from wrong ones, whatever the scale of the data.
Pairing pairing_of(Model& model, const Batch& batch, const at::Tensor& output) {
  const at::Tensor& given = batch.targets[0];
  const bool real = at::isFloatingType(given.scalar_type());
  const at::Tensor targets = real ? output.reshape(given.sizes()).clone() : given;
  const double outputs_apart = spread_of(output), targets_apart = spread_of(targets);
  const double right = loss_of(model, batch, targets);
  const double rolled = loss_of(model, batch, targets.roll(1, 0));
  const double flipped = loss_of(model, batch, targets.flip(0));
  const double moved = loss_of(model, batch, targets + (real ? targets_apart : 1.0));
  const double noise = 4e-6 * std::max({std::abs(right), std::abs(rolled), std::abs(moved)});
  // Of outputs that hardly differ a right loss does not depend on the order either. NaN compares as false.
  const double by_order = std::max(std::abs(rolled - right), std::abs(flipped - right));
  if (by_order > 100 * noise) return Pairing::by_example;
  if (outputs_apart * targets_apart > 100 * noise && by_order <= noise &&
      std::abs(moved - right) > 10 * noise)
    return Pairing::with_all;
  return Pairing::unclear;
}

// A new model may return the same for all examples, for example zero, and then its loss shows nothing.
void move_weights(Model& model) {
  std::vector<float> values(model.layout().element_count());
  model.extract(values);
  Random random(1);
  for (const ParameterEntry& entry : model.layout().entries()) {
    if (entry.kind != ParameterKind::trainable) continue;
    for (std::uint64_t i = 0; i < entry.count; ++i)
      values[entry.offset + i] += 0.1F * static_cast<float>(random.normal());
  }
  model.assign(values);
}

Result<std::string> compare(Model& model, const DataSource& source) {
  std::vector<std::uint32_t> first(std::min(batch_size, source.example_count()));
  std::iota(first.begin(), first.end(), 0U);
  if (first.size() < 2) return std::string();
  BatchReader reader(source, first.size(), model.memory_order());
  HANSA_TRY(const Batch batch, reader.read(first));
  const at::NoGradGuard no_gradients;
  const c10::IValue output = model.forward(batch);
  if (!output.isTensor()) return std::string();
  const at::IntArrayRef given = output.toTensor().sizes(), wanted = batch.targets[0].sizes();
  if (given == wanted || output.toTensor().numel() != batch.targets[0].numel()) return std::string();
  const std::string shapes = "forward returns " + shape_text(given) + " for targets " + shape_text(wanted);
  constexpr const char* remedy = "use y.view_as(output) in training_loss(x, y)";
  const Pairing pairing = pairing_of(model, batch, output.toTensor());
  if (pairing == Pairing::by_example) return std::string();
  if (pairing == Pairing::with_all)
    return fail(ErrorCode::model, model.location(),
                shapes + ", and training_loss compares each output with all targets: they broadcast", remedy,
                {ReasonCode::output_unfit, {}});
  return shapes +
         ": if training_loss(x, y) subtracts one from the other, they broadcast to another shape and the "
         "loss is wrong; " +
         remedy;
}

}  // namespace

Result<std::string> find_broadcast(Model& model, const DataSource& source) {
  if (!model.traits().has_training_loss || source.shape().targets.size() != 1) return std::string();
  HANSA_TRY_VOID(model.bind(source.shape()));
  if (!model.traits().loss_takes_targets) return std::string();
  model.set_training(false);
  auto compared = guarded(model.location(), "forward cannot be called", "",
                          [&]() -> Result<std::string> { return compare(model, source); });
  // What else a model cannot do is reported by its training.
  if (!compared && compared.error().reason.code != ReasonCode::output_unfit) return std::string();
  return compared;
}

Result<std::string> find_broadcast(const ArchiveFile& archive, const DataSource& source) {
  HANSA_TRY(LoadedModel model, LoadedModel::open(archive, {}));
  move_weights(model);
  return find_broadcast(model, source);
}

}  // namespace hansa::learning
