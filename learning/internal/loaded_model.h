// A model archive open for work: its module, its layout, and its trainable parameters bound to one
// flat buffer in the order of memory that trains fastest. Includes LibTorch.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <torch/script.h>

#include "learning/internal/compiled_method.h"
#include "learning/internal/model.h"

namespace hansa::learning {

class LoadedModel final : public Model {
 public:
  // personal: patterns of what is not part of the layout (TrainingConfig::personal).
  // Fails (model) if path is no TorchScript archive, has no forward, no trainable float32
  // parameter, parameters of another type, or nothing that a pattern of personal fits.
  [[nodiscard]] static Result<LoadedModel> open(const std::filesystem::path& path,
                                                std::span<const std::string> personal);

  [[nodiscard]] torch::jit::Module& module() { return module_; }
  // What the archive's methods return.
  [[nodiscard]] c10::IValue forward(const at::Tensor& x) override { return forward_->run({x}); }
  [[nodiscard]] c10::IValue training_loss(const at::Tensor& x, const at::Tensor& y) override {
    return training_loss_->run({x, y});
  }
  // Only if the traits have it.
  [[nodiscard]] c10::IValue metrics(const at::Tensor& x, const at::Tensor& y) {
    return metrics_->run({x, y});
  }
  void set_training(bool training) override { module_.train(training); }
  [[nodiscard]] const char* other_layout_mend() const override {
    return "run the same version of Hansa and of LibTorch on both sides";
  }

  // Integer buffers go back to their archived values, so that a task leaves no trace in the next.
  void assign(std::span<const float> values) override;

  // Gives every trainable memory of its own, row-major, as an archive holds it: to save the module.
  // The model cannot be trained afterwards.
  void bind_contiguous();

 private:
  struct IntegerBuffer {
    at::Tensor tensor;
    at::Tensor archived;
  };

  // A place in a list attribute that holds a parameter a second time, as the recurrent layers' _flat_weights do.
  struct ListPlace {
    c10::List<at::Tensor> list;
    std::size_t index;
    std::size_t slot;
  };

  Result<void> collect(std::span<const std::string> personal);
  void collect_list_places();
  // Puts the slot's tensor wherever the module holds it.
  void rebind(const Slot& slot);
  void bind_trainables();
  void compile();

  torch::jit::Module module_;
  std::optional<CompiledMethod> forward_;
  std::optional<CompiledMethod> training_loss_;
  std::optional<CompiledMethod> metrics_;
  at::Tensor flat_;  // the memory of all trainables
  std::vector<ListPlace> list_places_;
  std::vector<IntegerBuffer> integer_buffers_;
};

}  // namespace hansa::learning
