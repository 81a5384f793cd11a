// An open model archive: its module, its layout, and its trainable parameters in one flat buffer, in the memory order
// that trains fastest. Includes LibTorch.
#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <torch/script.h>

#include "learning/archive_file.h"
#include "learning/internal/compiled_method.h"
#include "learning/internal/graph_facts.h"
#include "learning/internal/graph_modes.h"
#include "learning/internal/model.h"
#include "learning/internal/own_metrics.h"
#include "learning/value_places.h"

namespace hansa::learning {

class LoadedModel final : public Model {
 public:
  // `personal` lists patterns of parameters that are not part of the layout (TrainingConfig::personal). Fails (model)
  // if it is not a TorchScript archive, has no forward method, no trainable float32 parameter or one of another
  // type, or if a pattern of `personal` matches nothing.
  [[nodiscard]] static Result<LoadedModel> open(const ArchiveFile& archive,
                                                std::span<const std::string> personal);
  // The same, but the values stay in the archive's memory, of which large parts are not read: the model has a layout,
  // traits, places and values, and cannot be trained.
  [[nodiscard]] static Result<LoadedModel> read(const ArchiveFile& archive,
                                                std::span<const std::string> personal);

  // Where the values are in the archive. Only after read(). Fails (model) if a trainable parameter shares bytes with another
  // tensor.
  [[nodiscard]] Result<ValuePlaces> places() const;

  [[nodiscard]] torch::jit::Module& module() { return module_; }
  [[nodiscard]] Result<void> bind(const ExampleShape& shape) override;
  [[nodiscard]] c10::IValue forward(const Batch& batch) override { return forward_->run(batch); }
  [[nodiscard]] c10::IValue training_loss(const Batch& batch) override { return training_loss_->run(batch); }
  [[nodiscard]] c10::IValue representation(const Batch& batch) override {
    if (!representation_unfit_.empty()) throw std::runtime_error(representation_unfit_);
    return representation_ ? representation_->run(batch) : forward_->run(batch);
  }
  [[nodiscard]] Metrics metrics(const Batch& batch) override {
    if (!metrics_unfit_.empty()) throw std::runtime_error(metrics_unfit_);
    return own_metrics_of(metrics_->run(batch));
  }
  void set_training(bool training) override;
  [[nodiscard]] const char* other_layout_hint() const override {
    return "run the same version of Hansa and of LibTorch on both sides";
  }

  // Why the arguments of metrics() cannot be bound to the shape of the last bind(), which the model can be used without.
  // Empty: they are, or there is no metrics().
  [[nodiscard]] const std::string& metrics_unfit() const { return metrics_unfit_; }
  // The names of the values that metrics() returns, as far as the code has them as constants.
  [[nodiscard]] std::vector<std::string> metric_names() const {
    return metrics_ ? dictionary_keys(metrics_->graph()) : std::vector<std::string>();
  }
  // What it means that train() and eval() do not switch some layers, and what to do. Empty if they switch all.
  [[nodiscard]] std::string fixed_mode_warning() const;

  // Integer buffers are reset to the archived values, so that one task does not influence the next.
  void assign(std::span<const float> values) override;

  // Copies every trainable parameter to row-major memory of its own, as in an archive, so that the module can be saved.
  // The model cannot be trained afterwards.
  void bind_contiguous();

 private:
  struct IntegerBuffer {
    std::string name;
    at::Tensor tensor;
    at::Tensor archived;
  };

  // An element of a list attribute that refers to a parameter again, like the recurrent layers' _flat_weights.
  struct ListPlace {
    c10::List<at::Tensor> list;
    std::size_t index;
    std::size_t slot;
  };

  // A part that is in evaluation mode also while the model is trained.
  struct EvaluatedPart {
    std::string path;
    torch::jit::Module module;
  };

  Result<void> collect(std::span<const std::string> personal);
  void find_normalisation();
  void collect_list_places();
  // Assigns the slot's tensor everywhere the module refers to it.
  void rebind(const Slot& slot);
  void bind_trainables();
  void compile();
  void find_evaluated();
  void find_known_modes();
  void refresh() override;
  [[nodiscard]] std::vector<const torch::jit::Graph*> graphs() const;  // of all methods
  // The attributes to which one of the methods may write.
  [[nodiscard]] WrittenAttributes written() const;
  // Fails (model) if the records of the archive cannot hold all values that a training can give.
  [[nodiscard]] Result<void> check_own_memory() const;
  [[nodiscard]] Result<PlacedLayout> placed(const ParameterLayout& layout,
                                            std::span<const at::Tensor> tensors) const;

  torch::jit::Module module_;
  std::optional<CompiledMethod> forward_;
  std::optional<CompiledMethod> training_loss_;
  std::optional<CompiledMethod> metrics_;
  std::optional<CompiledMethod> representation_;
  std::string representation_unfit_;  // as metrics_unfit_
  std::string metrics_unfit_;  // why the arguments of metrics() cannot be bound; empty: they are
  std::vector<EvaluatedPart> always_evaluated_;
  KnownModes known_modes_;
  at::Tensor flat_;  // holds all trainable parameters
  std::vector<ListPlace> list_places_;
  std::vector<IntegerBuffer> integer_buffers_;
  std::unordered_map<const void*, std::string> records_;  // ReadArchive::records, until the parameters move
  std::set<std::string> assigned_;  // slots to which the code assigns other tensors
};

}  // namespace hansa::learning
