#include "learning/internal/broadcast_check.h"

#include <algorithm>
#include <numeric>
#include <vector>

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

std::string compare(Model& model, const DataSource& source) {
  std::vector<std::uint32_t> first(std::min(batch_size, source.example_count()));
  std::iota(first.begin(), first.end(), 0U);
  if (first.size() < 2) return {};
  BatchReader reader(source, first.size(), model.memory_order());
  const Batch batch = reader.read(first);
  const at::NoGradGuard no_gradients;
  const c10::IValue output = model.forward(batch.inputs);
  if (!output.isTensor()) return {};
  const at::IntArrayRef given = output.toTensor().sizes(), wanted = batch.targets.sizes();
  if (given == wanted || output.toTensor().numel() != batch.targets.numel()) return {};
  return "forward returns " + shape_text(given) + " for targets " + shape_text(wanted) +
         ": if training_loss(x, y) subtracts one from the other, they broadcast to another shape and the "
         "loss is "
         "wrong; use y.view_as(output) there";
}

}  // namespace

Result<std::string> find_broadcast(const ArchiveFile& archive, const DataSource& source) {
  HANSA_TRY(LoadedModel model, LoadedModel::open(archive, {}));
  if (!model.traits().has_training_loss) return std::string();
  model.set_training(false);
  const auto compared = guarded(model.location(), "forward cannot be called", "",
                                [&]() -> Result<std::string> { return compare(model, source); });
  return compared.value_or(std::string());
}

}  // namespace hansa::learning
