// An open model of any origin: its layout, its values, and its trainable parameters as memory. Includes LibTorch.
//
// One thread at a time uses a model. Models share no state.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>

#include "common/parameter_layout.h"
#include "common/training.h"
#include "learning/data/example_shape.h"

namespace hansa::learning {

// Some examples. The tensors are views of memory that the next batch uses again.
struct Batch {
  const ExampleShape* shape = nullptr;
  std::size_t examples = 0;
  std::vector<at::Tensor> inputs;  // examples x the shape of each input
  std::vector<at::Tensor> targets;
};

enum class MemoryOrder : std::uint8_t { contiguous, channels_last };

// Properties of a model's code.
struct ModelTraits {
  bool has_training_loss = false;
  bool has_metrics = false;
  bool has_representation = false;
  bool draws_random_numbers = false;  // by dropout, for example
  bool normalises_batches = false;  // a training batch of one example is then an error
  bool assigns_attributes = false;  // running the model changes state outside of its buffers
  // False after bind() if its training_loss() takes no target, as that of an autoencoder: then what forward() returns is
  // not a prediction of the data's targets.
  bool loss_takes_targets = true;
};

class Model {
 public:
  virtual ~Model() = default;

  [[nodiscard]] const std::string& location() const { return location_; }  // names the model in errors
  [[nodiscard]] const ParameterLayout& layout() const { return shared_.layout; }
  [[nodiscard]] const ParameterLayout& personal_layout() const { return personal_.layout; }
  [[nodiscard]] const ModelTraits& traits() const { return traits_; }
  // The memory order of inputs and weights. It depends only on the model, so that equal tasks give equal bits.
  [[nodiscard]] MemoryOrder memory_order() const { return memory_order_; }

  // Fails (model) unless the model's methods can take examples of this shape. Called before the following, whose batches
  // have this shape.
  [[nodiscard]] virtual Result<void> bind(const ExampleShape& shape) = 0;
  [[nodiscard]] virtual c10::IValue forward(const Batch& batch) = 0;
  // Call it only if the traits say that the model has it.
  [[nodiscard]] virtual c10::IValue training_loss(const Batch& batch) = 0;
  // What the model makes of each example before it decides: its representation(x), or what forward(x) returns if it has
  // none.
  [[nodiscard]] virtual c10::IValue representation(const Batch& batch) { return forward(batch); }
  // Sums and counts, in evaluation mode. Call it only if the traits say that the model has it.
  [[nodiscard]] virtual Metrics metrics(const Batch& batch) = 0;
  virtual void set_training(bool training) = 0;
  // The hint for a task with another layout.
  [[nodiscard]] virtual const char* other_layout_hint() const = 0;

  // Writes the layout's values into the model, in layout order (each tensor row-major, whatever its order in memory),
  // and resets the other state that a task must not inherit.
  virtual void assign(std::span<const float> values) { assign(shared_, values); }
  // Reads the layout's values from the model.
  void extract(std::span<float> values) {
    refresh();
    extract(shared_, values);
  }
  // The same for the personal parameters, in the order of personal_layout().
  void assign_personal(std::span<const float> values) { assign(personal_, values); }
  void extract_personal(std::span<float> values) {
    refresh();
    extract(personal_, values);
  }

  // The tensors of the entries of layout() and of personal_layout(), in their order.
  [[nodiscard]] std::vector<at::Tensor> tensors() const { return tensors_of(shared_); }
  [[nodiscard]] std::vector<at::Tensor> personal_tensors() const { return tensors_of(personal_); }

  // One trainable parameter: the leaf tensor, and its memory as a span.
  struct Trainable {
    at::Tensor tensor;
    std::span<float> memory;
  };
  [[nodiscard]] std::span<const Trainable> trainables() const { return trainables_; }
  [[nodiscard]] const std::vector<at::Tensor>& leaves() const { return leaves_; }
  // For each trainable: whether it is personal.
  [[nodiscard]] std::vector<bool> personal_trainables() const;

 protected:
  Model() = default;
  Model(Model&&) = default;
  Model& operator=(Model&&) = default;

  struct Slot {
    std::string name;
    std::vector<std::string> aliases;  // other names of the same tensor (tied weights)
    at::Tensor tensor;
    ParameterKind kind;
    bool personal = false;
    bool normalises = false;  // a parameter or a buffer of a normalisation layer
  };

  // Brings the slots' tensors up to date, if the model's code may have replaced them.
  virtual void refresh() {}
  // Fails (model) if the tensor is not dense float32.
  Result<void> add_slot(const std::string& name, const at::Tensor& tensor, ParameterKind kind);
  // Builds both layouts from the slots. Fails (model) on a pattern that matches nothing, and if all are personal.
  Result<void> divide(std::span<const std::string> personal);
  void add_trainable(const at::Tensor& leaf, std::span<float> memory);

  std::string location_;
  ModelTraits traits_;
  MemoryOrder memory_order_ = MemoryOrder::contiguous;
  std::vector<Slot> slots_;  // in the model's own order
  std::vector<Trainable> trainables_;
  std::vector<at::Tensor> leaves_;

 private:
  // A subset of the slots, and the layout of its values.
  struct Part {
    ParameterLayout layout;
    std::vector<std::size_t> slots;
  };
  static bool fits(const Slot& slot, const std::string& pattern);
  Result<Part> part_of(bool personal) const;
  [[nodiscard]] std::vector<at::Tensor> tensors_of(const Part& part) const;
  void assign(const Part& part, std::span<const float> values);
  void extract(const Part& part, std::span<float> values) const;

  Part shared_, personal_;
};

// An empty tensor of these sizes whose strides have the given order, even where one channel makes both orders look
// alike. contiguous(ChannelsLast) changes nothing in that case, and the order would alternate from layer to layer.
[[nodiscard]] at::Tensor empty_in_order(at::IntArrayRef sizes, MemoryOrder order);

[[nodiscard]] std::vector<std::int64_t> strides_in_order(at::IntArrayRef sizes, MemoryOrder order);
[[nodiscard]] bool same_memory(const at::Tensor& a, const at::Tensor& b);

}  // namespace hansa::learning
