// A model open for work, wherever it came from: its layout, its values, and its trainable parameters as memory.
// Includes LibTorch.
//
// One thread at a time owns a model; models share nothing.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>

#include "common/parameter_layout.h"

namespace hansa::learning {

enum class MemoryOrder : std::uint8_t { contiguous, channels_last };

// What the code of a model does.
struct ModelTraits {
  bool has_training_loss = false;
  bool has_metrics = false;
  bool draws_random_numbers = false;  // dropout and the like
  bool normalises_batches = false;  // a training batch of one example is an error then
  bool assigns_attributes = false;  // its state outside of buffers changes as it runs
};

class Model {
 public:
  virtual ~Model() = default;

  [[nodiscard]] const std::string& location() const { return location_; }  // names it in errors
  [[nodiscard]] const ParameterLayout& layout() const { return shared_.layout; }
  [[nodiscard]] const ParameterLayout& personal_layout() const { return personal_.layout; }
  [[nodiscard]] const ModelTraits& traits() const { return traits_; }
  // Of inputs and weights. Depends on the model alone, so that equal tasks give equal bits.
  [[nodiscard]] MemoryOrder memory_order() const { return memory_order_; }

  [[nodiscard]] virtual c10::IValue forward(const at::Tensor& x) = 0;
  // Only if the traits have it.
  [[nodiscard]] virtual c10::IValue training_loss(const at::Tensor& x, const at::Tensor& y) = 0;
  virtual void set_training(bool training) = 0;
  // What to do where a task has another layout.
  [[nodiscard]] virtual const char* other_layout_mend() const = 0;

  // The layout's values in, in layout order (each tensor row-major, whatever its order in memory), and what else
  // a task must find as it was.
  virtual void assign(std::span<const float> values) { assign(shared_, values); }
  // The layout's values out.
  void extract(std::span<float> values) const { extract(shared_, values); }
  // The same for what is personal, in the order of personal_layout().
  void assign_personal(std::span<const float> values) { assign(personal_, values); }
  void extract_personal(std::span<float> values) const { extract(personal_, values); }

  // One trainable parameter: the leaf tensor and the same memory as a span.
  struct Trainable {
    at::Tensor tensor;
    std::span<float> memory;
  };
  [[nodiscard]] std::span<const Trainable> trainables() const { return trainables_; }
  [[nodiscard]] const std::vector<at::Tensor>& leaves() const { return leaves_; }

 protected:
  Model() = default;
  Model(Model&&) = default;
  Model& operator=(Model&&) = default;

  struct Slot {
    std::string name;
    std::vector<std::string> aliases;  // further names of the same tensor (tied weights)
    at::Tensor tensor;
    ParameterKind kind;
    bool personal = false;
  };

  // Fails (model) unless it is dense float32.
  Result<void> add_slot(const std::string& name, const at::Tensor& tensor, ParameterKind kind);
  // Makes both layouts of the slots. Fails (model) on a pattern that fits none, and if all are personal.
  Result<void> divide(std::span<const std::string> personal);
  void add_trainable(const at::Tensor& leaf, std::span<float> memory);

  std::string location_;
  ModelTraits traits_;
  MemoryOrder memory_order_ = MemoryOrder::contiguous;
  std::vector<Slot> slots_;  // in the model's own order
  std::vector<Trainable> trainables_;
  std::vector<at::Tensor> leaves_;

 private:
  // Some of the slots, and the layout of their values.
  struct Part {
    ParameterLayout layout;
    std::vector<std::size_t> slots;
  };
  Result<Part> part_of(bool personal) const;
  void assign(const Part& part, std::span<const float> values);
  void extract(const Part& part, std::span<float> values) const;

  Part shared_, personal_;
};

// A tensor of these sizes whose strides really are of the order, also where one channel makes both
// orders look alike: contiguous(ChannelsLast) would change nothing there, and the order would flip
// from layer to layer.
[[nodiscard]] at::Tensor empty_in_order(at::IntArrayRef sizes, MemoryOrder order);

[[nodiscard]] std::vector<std::int64_t> strides_in_order(at::IntArrayRef sizes, MemoryOrder order);
[[nodiscard]] bool same_memory(const at::Tensor& a, const at::Tensor& b);

}  // namespace hansa::learning
