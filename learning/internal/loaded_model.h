// A model archive open for work: its module, its layout, and its trainable parameters bound to one
// flat buffer in the order of memory that trains fastest. Includes LibTorch.
//
// One thread at a time owns a model; models share nothing.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <torch/script.h>

#include "common/parameter_layout.h"
#include "learning/internal/compiled_method.h"

namespace hansa::learning {

enum class MemoryOrder : std::uint8_t { contiguous, channels_last };

// What the code of an archive does, found by reading its graphs.
struct ModelTraits {
  bool has_training_loss = false;
  bool has_metrics = false;
  bool draws_random_numbers = false;  // dropout and the like
  bool normalises_batches = false;  // a training batch of one example is an error then
  bool assigns_attributes = false;  // its state outside of buffers changes as it runs
};

class LoadedModel {
 public:
  // personal: patterns of what is not part of the layout (TrainingConfig::personal).
  // Fails (model) if path is no TorchScript archive, has no forward, no trainable float32
  // parameter, parameters of another type, or nothing that a pattern of personal fits.
  [[nodiscard]] static Result<LoadedModel> open(const std::filesystem::path& path,
                                                std::span<const std::string> personal);

  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] const ParameterLayout& layout() const { return shared_.layout; }
  [[nodiscard]] const ParameterLayout& personal_layout() const { return personal_.layout; }
  [[nodiscard]] const ModelTraits& traits() const { return traits_; }
  // Channels-last for models with 4-D weights (2-D convolutions), else contiguous. Depends on the
  // archive alone, so that equal tasks give equal bits.
  [[nodiscard]] MemoryOrder memory_order() const { return memory_order_; }
  [[nodiscard]] torch::jit::Module& module() { return module_; }
  // What the archive's methods return. training_loss and metrics: only if the traits have them.
  [[nodiscard]] c10::IValue forward(const at::Tensor& x) { return forward_->run({x}); }
  [[nodiscard]] c10::IValue training_loss(const at::Tensor& x, const at::Tensor& y) {
    return training_loss_->run({x, y});
  }
  [[nodiscard]] c10::IValue metrics(const at::Tensor& x, const at::Tensor& y) {
    return metrics_->run({x, y});
  }

  // The layout's values in, in layout order (each tensor row-major, whatever its order in memory).
  // Integer buffers go back to their archived values, so that a task leaves no trace in the next.
  void assign(std::span<const float> values);
  // The layout's values out.
  void extract(std::span<float> values) const { extract(shared_, values); }
  // The same for what is personal, in the order of personal_layout().
  void assign_personal(std::span<const float> values) { assign(personal_, values); }
  void extract_personal(std::span<float> values) const { extract(personal_, values); }

  // Gives every trainable memory of its own, row-major, as an archive holds it: to save the module.
  // The model cannot be trained afterwards.
  void bind_contiguous();

  // One trainable parameter: the leaf tensor of the module and the same memory as a span.
  struct Trainable {
    at::Tensor tensor;
    std::span<float> memory;
  };
  [[nodiscard]] std::span<const Trainable> trainables() const { return trainables_; }
  [[nodiscard]] const std::vector<at::Tensor>& leaves() const { return leaves_; }

 private:
  struct Slot {
    std::string name;
    std::vector<std::string> aliases;  // further names of the same tensor (tied weights)
    at::Tensor tensor;
    ParameterKind kind;
    bool personal = false;
  };
  // Some of the slots, and the layout of their values.
  struct Part {
    ParameterLayout layout;
    std::vector<std::size_t> slots;
  };
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
  Result<void> divide(std::span<const std::string> personal);
  Result<Part> part_of(bool personal) const;
  void assign(const Part& part, std::span<const float> values);
  void extract(const Part& part, std::span<float> values) const;
  void collect_list_places();
  // Puts the slot's tensor wherever the module holds it.
  void rebind(const Slot& slot);
  void bind_trainables();
  void compile();

  std::string place_;
  torch::jit::Module module_;
  std::optional<CompiledMethod> forward_;
  std::optional<CompiledMethod> training_loss_;
  std::optional<CompiledMethod> metrics_;
  Part shared_, personal_;
  ModelTraits traits_;
  MemoryOrder memory_order_ = MemoryOrder::contiguous;
  at::Tensor flat_;  // the memory of all trainables
  std::vector<Slot> slots_;  // in the archive's order
  std::vector<ListPlace> list_places_;
  std::vector<Trainable> trainables_;
  std::vector<at::Tensor> leaves_;
  std::vector<IntegerBuffer> integer_buffers_;
};

// A tensor of these sizes whose strides really are of the order, also where one channel makes both
// orders look alike: contiguous(ChannelsLast) would change nothing there, and the order would flip
// from layer to layer.
[[nodiscard]] at::Tensor empty_in_order(at::IntArrayRef sizes, MemoryOrder order);

}  // namespace hansa::learning
