// Which tensors of an example the arguments of a model's method get. Includes LibTorch.
//
// An argument gets the tensor of its name. If no tensor has its name, arguments without a default value get the tensors
// that are left, in their order: a method of one argument may call it what it likes. Inputs that say which places of another
// one are filled, NAME_length and NAME_mask, may go nowhere. An argument of type
// Dict[str, Tensor] or List[Tensor] gets all inputs; in training_loss() and metrics() it gets all targets if it is called
// "y", "target" or "targets", or if an argument before it got inputs.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include "common/error.h"
#include "learning/data/example_shape.h"

namespace hansa::learning {

enum class Method : std::uint8_t { forward, training_loss, metrics, representation };
[[nodiscard]] const char* name_of(Method method);

class Arguments {
 public:
  // forward() and representation() take inputs only. Fails (model) if an argument would get nothing, or an input would go nowhere; targets
  // may go nowhere. `location` names the model.
  [[nodiscard]] static Result<Arguments> bind(const c10::FunctionSchema& schema, Method method,
                                              const ExampleShape& shape, const std::string& location);
  // Whether an argument gets a target.
  [[nodiscard]] bool take_targets() const;
  // What the method is called with, without self.
  [[nodiscard]] std::vector<c10::IValue> values(std::span<const at::Tensor> inputs,
                                                std::span<const at::Tensor> targets) const;

 private:
  enum class From : std::uint8_t {
    tensor,
    inputs_by_name,
    targets_by_name,
    inputs_list,
    targets_list,
    constant
  };
  struct Argument {
    From from = From::constant;
    std::size_t tensor = 0;
    c10::IValue constant = {};
  };
  friend class Binding;

  std::vector<Argument> arguments_;
  std::vector<std::string> names_;  // of the tensors
  std::size_t inputs_ = 0;
};

}  // namespace hansa::learning
