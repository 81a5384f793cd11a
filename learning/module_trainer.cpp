#include "learning/module_trainer.h"

#include <algorithm>
#include <string_view>

#include "common/name_pattern.h"
#include "learning/internal/model_trainer.h"
#include "learning/model_archive.h"

namespace hansa::learning {
namespace {

// C++ code does not show which layers normalise. The archive's code does: its names take the place of the pattern.
Result<std::vector<std::string>> names_by_type(const ArchiveFile& archive, const ParameterLayout& whole,
                                               std::span<const std::string> personal) {
  std::vector<std::string> out;
  for (const std::string& pattern : personal) {
    if (!is_layer_type(pattern)) {
      out.push_back(pattern);
      continue;
    }
    HANSA_TRY(const ModelDescription rest, describe_archive(archive, std::span(&pattern, 1)));
    for (const ParameterEntry& entry : whole.entries())
      if (std::ranges::find(rest.layout.entries(), entry.name, &ParameterEntry::name) ==
          rest.layout.entries().end())
        out.push_back(entry.name);
  }
  return out;
}

class ModuleModel final : public Model {
 public:
  static Result<std::unique_ptr<Model>> create(const OwnModule& own, const ArchiveFile& archive,
                                               std::span<const std::string> personal) {
    std::unique_ptr<ModuleModel> model(new ModuleModel(own));
    // C++ code does not show which buffers it writes to. The archive's code does.
    HANSA_TRY(const ModelDescription archived, describe_archive(archive, {}));
    HANSA_TRY(const std::vector<std::string> names, names_by_type(archive, archived.layout, personal));
    HANSA_TRY_VOID(model->collect(archived.layout, names));
    return model;
  }

  Result<void> bind(const ExampleShape& shape) override {
    if (!takes_all() && (shape.inputs.size() != 1 || shape.targets.size() > 1))
      return fail(ErrorCode::model, location_,
                  "takes one input and one target, but the data has " +
                      text_of(std::span<const TensorSpec>(shape.inputs)) + " and the targets " +
                      text_of(std::span<const TensorSpec>(shape.targets)),
                  "set OwnModule::forward_all", {ReasonCode::output_unfit, {}});
    return {};
  }
  c10::IValue forward(const Batch& batch) override {
    return takes_all() ? own_.forward_all(batch.inputs) : own_.forward(batch.inputs[0]);
  }
  c10::IValue training_loss(const Batch& batch) override {
    if (takes_all()) return own_.training_loss_all(batch.inputs, batch.targets);
    return own_.training_loss(batch.inputs[0], target_of(batch));
  }
  Metrics metrics(const Batch& batch) override { return own_.metrics(batch.inputs[0], target_of(batch)); }
  void set_training(bool training) override { own_.module->train(training); }
  [[nodiscard]] const char* other_layout_hint() const override {
    return "give the module the parameters of the federation's model, which \"hansa model inspect\" lists";
  }

 private:
  explicit ModuleModel(const OwnModule& own) : own_(own) {
    location_ = "the program's module " + own.module->name();
    traits_.has_training_loss = takes_all() ? own.training_loss_all != nullptr : own.training_loss != nullptr;
    traits_.has_metrics = own.metrics && !takes_all();
    traits_.draws_random_numbers = true;  // C++ code cannot be inspected
  }

  [[nodiscard]] bool takes_all() const { return static_cast<bool>(own_.forward_all); }
  static at::Tensor target_of(const Batch& batch) {
    return batch.targets.empty() ? at::Tensor() : batch.targets[0];
  }

  Result<void> collect(const ParameterLayout& archived, std::span<const std::string> personal) {
    const at::NoGradGuard no_grad;
    for (auto& parameter : own_.module->named_parameters(/*recurse=*/true)) {
      at::Tensor tensor = parameter.value();
      if (!tensor.requires_grad()) continue;
      if (!tensor.is_contiguous()) tensor.set_data(tensor.contiguous());
      const std::size_t before = slots_.size();
      HANSA_TRY_VOID(add_slot(parameter.key(), tensor, ParameterKind::trainable));
      if (slots_.size() == before) continue;  // a second name of a known tensor
      add_trainable(tensor, std::span(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())));
    }
    for (const auto& buffer : own_.module->named_buffers(/*recurse=*/true)) {
      if (!buffer.value().defined() || !at::isFloatingType(buffer.value().scalar_type())) continue;
      traits_.normalises_batches |= std::string_view(buffer.key()).ends_with("running_var");
      if (std::ranges::find(archived.entries(), buffer.key(), &ParameterEntry::name) ==
          archived.entries().end())
        continue;
      HANSA_TRY_VOID(add_slot(buffer.key(), buffer.value(), ParameterKind::buffer));
    }
    if (trainables_.empty()) return fail(ErrorCode::model, location_, "has no parameter to train");
    return divide(personal);
  }

  OwnModule own_;
};

}  // namespace

std::unique_ptr<Trainer> make_module_trainer(OwnModule own, const LocalTrainerConfig& config) {
  return make_model_trainer(
      config, [own = std::move(own)](const ArchiveFile& archive, std::span<const std::string> personal) {
        return ModuleModel::create(own, archive, personal);
      });
}

}  // namespace hansa::learning
