#include "common/methods.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace hansa {
namespace {

bool in_range(double value, const OptionRange& range) {
  const bool above = range.at_least == Bound::inclusive ? value >= range.least : value > range.least;
  const bool below = range.at_most == Bound::inclusive ? value <= range.most : value < range.most;
  return std::isfinite(value) && above && below;
}

Result<void> check_option(const MethodDescription& method, const Option& option) {
  const std::string name = "option \"" + option.name + "\" of method \"" + method.name + "\"";
  const auto wrong = [&](const char* what) { return fail(ErrorCode::refused, name, what); };
  const auto rule = std::ranges::find(method.options, option.name, &OptionDescription::name);
  if (rule == method.options.end()) return wrong("is not known to this client");
  if (rule->default_value.index() != option.value.index()) return wrong("has a value of another type");
  const auto* integer = std::get_if<std::int64_t>(&option.value);
  const auto* number = std::get_if<double>(&option.value);
  if (integer != nullptr && !in_range(static_cast<double>(*integer), rule->range))
    return wrong("is out of its range");
  if (number != nullptr && !in_range(*number, rule->range)) return wrong("is out of its range");
  return {};
}

// The option's value, or nothing if the method leaves it out.
template <class T>
const T* find_option(const Method& method, std::string_view name) {
  const auto found = std::ranges::find(method.options, name, &Option::name);
  return found == method.options.end() ? nullptr : std::get_if<T>(&found->value);
}

void read(const Method& method, std::string_view name, std::uint32_t& into) {
  if (const auto* value = find_option<std::int64_t>(method, name)) into = static_cast<std::uint32_t>(*value);
}
void read(const Method& method, std::string_view name, double& into) {
  if (const auto* value = find_option<double>(method, name)) into = *value;
}

}  // namespace

const std::vector<OptionDescription>& sgd_options() {
  static const TrainingConfig defaults;
  static const std::vector<OptionDescription> options = {
      {"epochs", std::int64_t{defaults.epochs}, {.least = 1, .most = 1'000}},
      {"batch_size", std::int64_t{defaults.batch_size}, {.least = 1, .most = 65'536}},
      {"learning_rate", defaults.learning_rate, {.least = 0, .at_least = Bound::exclusive}},
      {"momentum", defaults.momentum, {.least = 0, .most = 1, .at_most = Bound::exclusive}},
      {"weight_decay", defaults.weight_decay, {.least = 0}},
      {"steps_max", std::int64_t{defaults.steps_max}, {.least = 0, .most = 4'000'000'000}},
      {"personal", std::vector<std::string>{}}};
  return options;
}

// One entry for each method.
const MethodTable& built_in_methods() {
  static const MethodTable table = {{"sgd", sgd_options()}};
  return table;
}

const MethodDescription* find_method(const MethodTable& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &MethodDescription::name);
  return found == table.end() ? nullptr : &*found;
}

Result<std::vector<ExchangedVector>> exchanged_vectors(const MethodDescription& method) {
  if (method.inputs.size() != method.outputs.size())
    return fail(ErrorCode::usage, "method \"" + method.name + "\"",
                "has " + std::to_string(method.inputs.size()) + " further inputs and " +
                    std::to_string(method.outputs.size()) + " further outputs, which must come in pairs");
  std::vector<ExchangedVector> out;
  for (std::size_t i = 0; i < method.inputs.size(); ++i) out.push_back({method.inputs[i], method.outputs[i]});
  return out;
}

Result<void> check_method(const MethodTable& table, const Method& method) {
  const MethodDescription* description = find_method(table, method.name);
  if (description == nullptr)
    return fail(ErrorCode::refused, "method \"" + method.name + "\"", "is not known to this client",
                "install a version of hansa-client that has it, or choose another method");
  std::set<std::string_view> names;
  for (const Option& option : method.options) {
    if (!names.insert(option.name).second)
      return fail(ErrorCode::refused, "option \"" + option.name + "\" of method \"" + method.name + "\"",
                  "is there twice");
    HANSA_TRY_VOID(check_option(*description, option));
  }
  return {};
}

Method sgd_method(const TrainingConfig& config) {
  return {"sgd",
          {{"epochs", std::int64_t{config.epochs}},
           {"batch_size", std::int64_t{config.batch_size}},
           {"learning_rate", config.learning_rate},
           {"momentum", config.momentum},
           {"weight_decay", config.weight_decay},
           {"steps_max", std::int64_t{config.steps_max}},
           {"personal", config.personal}}};
}

TrainingConfig training_config(const MethodDescription& description, const Method& method) {
  Method defaults{description.name, {}};
  for (const OptionDescription& option : description.options)
    defaults.options.push_back({option.name, option.default_value});
  TrainingConfig out;
  for (const Method* options : std::array<const Method*, 2>{&defaults, &method}) {
    read(*options, "epochs", out.epochs);
    read(*options, "batch_size", out.batch_size);
    read(*options, "learning_rate", out.learning_rate);
    read(*options, "momentum", out.momentum);
    read(*options, "weight_decay", out.weight_decay);
    read(*options, "steps_max", out.steps_max);
    if (const auto* personal = find_option<std::vector<std::string>>(*options, "personal"))
      out.personal = *personal;
  }
  return out;
}

}  // namespace hansa
