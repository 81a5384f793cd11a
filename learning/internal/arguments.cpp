#include "learning/internal/arguments.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <ATen/ATen.h>
#include <ATen/core/jit_type.h>

namespace hansa::learning {
namespace {

bool is_dictionary(const c10::Type& type) {
  const auto dictionary = type.cast<c10::DictType>();
  return dictionary && dictionary->getKeyType()->kind() == c10::TypeKind::StringType &&
         dictionary->getValueType()->kind() == c10::TypeKind::TensorType;
}

bool is_list(const c10::Type& type) {
  const auto list = type.cast<c10::ListType>();
  return list && list->getElementType()->kind() == c10::TypeKind::TensorType;
}

bool takes_tensor(const c10::Type& type) { return c10::TensorType::get()->isSubtypeOf(type); }

bool takes_targets(Method method) { return method == Method::training_loss || method == Method::metrics; }

}  // namespace

const char* name_of(Method method) {
  switch (method) {
    case Method::forward: return "forward";
    case Method::training_loss: return "training_loss";
    case Method::metrics: return "metrics";
    case Method::representation: return "representation";
  }
  return "";
}

class Binding {
 public:
  Binding(const c10::FunctionSchema& schema, Method method, const ExampleShape& shape,
          const std::string& location)
      : schema_(schema), method_(method), shape_(shape), location_(location) {
    const std::size_t offered = takes_targets(method) ? shape.size() : shape.inputs.size();
    taken_.assign(offered, false);
  }

  Result<Arguments> run() {
    out_.inputs_ = shape_.inputs.size();
    for (std::size_t t = 0; t < shape_.size(); ++t) out_.names_.push_back(shape_[t].name);
    const std::size_t count = schema_.arguments().size() - 1;  // without self
    out_.arguments_.resize(count);
    std::vector<std::size_t> open;  // arguments that need a tensor and have none of their name
    for (std::size_t i = 0; i < count; ++i)
      if (!bind_by_type(i) && !bind_by_name(i)) open.push_back(i);
    HANSA_TRY_VOID(bind_rest(open));
    HANSA_TRY_VOID(check_inputs());
    return std::move(out_);
  }

 private:
  [[nodiscard]] const c10::Argument& argument(std::size_t i) const { return schema_.arguments()[i + 1]; }
  [[nodiscard]] std::ptrdiff_t inputs() const { return static_cast<std::ptrdiff_t>(shape_.inputs.size()); }

  // A dictionary or a list: the inputs; the targets if an argument before it got inputs, or by its name.
  bool bind_by_type(std::size_t i) {
    const c10::Type& type = *argument(i).type();
    if (!is_dictionary(type) && !is_list(type)) return false;
    using From = Arguments::From;
    const std::string& name = argument(i).name();
    const bool inputs_taken =
        std::find(taken_.begin(), taken_.begin() + inputs(), true) != taken_.begin() + inputs();
    const bool for_targets = name == "y" || name == "targets" || name == "target" || inputs_taken;
    if (for_targets && (!takes_targets(method_) || targets_collected_))
      return false;  // nothing is left for it
    targets_collected_ = targets_collected_ || for_targets;
    out_.arguments_[i].from = is_dictionary(type)
                                  ? (for_targets ? From::targets_by_name : From::inputs_by_name)
                                  : (for_targets ? From::targets_list : From::inputs_list);
    for (std::size_t t = 0; t < taken_.size(); ++t)
      if ((t < shape_.inputs.size()) != for_targets) taken_[t] = true;
    return true;
  }

  bool bind_by_name(std::size_t i) {
    const c10::Argument& wanted = argument(i);
    for (std::size_t t = 0; t < taken_.size() && takes_tensor(*wanted.type()); ++t) {
      if (taken_[t] || shape_[t].name != wanted.name()) continue;
      take(i, t);
      return true;
    }
    if (!wanted.default_value()) return false;
    out_.arguments_[i] = {Arguments::From::constant, 0, *wanted.default_value()};
    return true;
  }

  Result<void> bind_rest(const std::vector<std::size_t>& open) {
    std::size_t next = 0;
    for (const std::size_t i : open) {
      while (next < taken_.size() && taken_[next]) ++next;
      if (next == taken_.size() || !takes_tensor(*argument(i).type())) return lacks(i);
      take(i, next);
    }
    return {};
  }

  void take(std::size_t i, std::size_t tensor) {
    out_.arguments_[i] = {Arguments::From::tensor, tensor, {}};
    taken_[tensor] = true;
  }

  // Of an input NAME that is padded: NAME_length or NAME_mask.
  [[nodiscard]] bool is_of_padding(std::string_view name) const {
    for (const std::string_view end : {"_length", "_mask"})
      if (name.ends_with(end) && std::ranges::find(shape_.inputs, name.substr(0, name.size() - end.size()),
                                                   &TensorSpec::name) != shape_.inputs.end())
        return true;
    return false;
  }

  Result<void> check_inputs() const {
    for (std::size_t t = 0; t < shape_.inputs.size(); ++t)
      if (!taken_[t] && !is_of_padding(shape_[t].name))
        return fail(ErrorCode::model, location_,
                    std::string(name_of(method_)) + " has no argument for the input " + text_of(shape_[t]) +
                        ", which the data has",
                    "add the argument, or leave the input out of the data", {ReasonCode::output_unfit, {}});
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> lacks(std::size_t i) const {
    std::vector<TensorSpec> offered;
    for (std::size_t t = 0; t < taken_.size(); ++t) offered.push_back(shape_[t]);
    return fail(ErrorCode::model, location_,
                std::string(name_of(method_)) + " needs `" + argument(i).name() + ": " +
                    argument(i).type()->annotation_str() + "`; the data has " +
                    text_of(std::span<const TensorSpec>(offered)),
                takes_tensor(*argument(i).type())
                    ? "add the tensor to the data, or give the argument a default value"
                    : "give the argument a default value",
                {ReasonCode::output_unfit, {}});
  }

  const c10::FunctionSchema& schema_;
  Method method_;
  const ExampleShape& shape_;
  const std::string& location_;
  std::vector<bool> taken_;  // of the tensors that the method may get
  bool targets_collected_ = false;
  Arguments out_;
};

Result<Arguments> Arguments::bind(const c10::FunctionSchema& schema, Method method, const ExampleShape& shape,
                                  const std::string& location) {
  return Binding(schema, method, shape, location).run();
}

bool Arguments::take_targets() const {
  return std::ranges::any_of(arguments_, [this](const Argument& argument) {
    return argument.from == From::targets_by_name || argument.from == From::targets_list ||
           (argument.from == From::tensor && argument.tensor >= inputs_);
  });
}

std::vector<c10::IValue> Arguments::values(std::span<const at::Tensor> inputs,
                                           std::span<const at::Tensor> targets) const {
  const auto by_name = [&](std::span<const at::Tensor> tensors, std::size_t first) {
    c10::Dict<std::string, at::Tensor> out;
    for (std::size_t i = 0; i < tensors.size(); ++i) out.insert(names_[first + i], tensors[i]);
    return out;
  };
  const auto list = [](std::span<const at::Tensor> tensors) {
    c10::List<at::Tensor> out;
    for (const at::Tensor& tensor : tensors) out.push_back(tensor);
    return out;
  };
  std::vector<c10::IValue> out;
  out.reserve(arguments_.size());
  for (const Argument& argument : arguments_) {
    switch (argument.from) {
      case From::tensor:
        out.emplace_back(argument.tensor < inputs_ ? inputs[argument.tensor]
                                                   : targets[argument.tensor - inputs_]);
        break;
      case From::inputs_by_name: out.emplace_back(by_name(inputs, 0)); break;
      case From::targets_by_name: out.emplace_back(by_name(targets, inputs_)); break;
      case From::inputs_list: out.emplace_back(list(inputs)); break;
      case From::targets_list: out.emplace_back(list(targets)); break;
      case From::constant: out.push_back(argument.constant); break;
    }
  }
  return out;
}

}  // namespace hansa::learning
