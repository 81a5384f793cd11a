#include "common/methods.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <type_traits>

#include "common/name_pattern.h"

namespace hansa {
namespace {

bool in_range(double value, const OptionRange& range) {
  const bool above = range.at_least == Bound::inclusive ? value >= range.least : value > range.least;
  const bool below = range.at_most == Bound::inclusive ? value <= range.most : value < range.most;
  return std::isfinite(value) && above && below;
}

Result<void> check_option(const MethodDescription& method, const Option& option) {
  const std::string name = "option \"" + option.name + "\" of method \"" + method.name + "\"";
  const auto wrong = [&](const char* what) {
    return fail(ErrorCode::refused, name, what, {}, {ReasonCode::option_invalid, {}});
  };
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

// The option's value in the method, otherwise its default.
template <class T>
void read(const MethodDescription& description, const Method& method, std::string_view name, T& into) {
  using Stored = std::conditional_t<std::is_integral_v<T>, std::int64_t, T>;  // true and false are 1 and 0
  const OptionValue* value = nullptr;
  if (const auto given = std::ranges::find(method.options, name, &Option::name);
      given != method.options.end())
    value = &given->value;
  else if (const auto known = std::ranges::find(description.options, name, &OptionDescription::name);
           known != description.options.end())
    value = &known->default_value;
  if (value == nullptr) return;
  if (const auto* stored = std::get_if<Stored>(value)) into = static_cast<T>(*stored);
}

// Which methods are nothing without personal parameters, and which cannot have any.
Result<void> check_personal(const Method& method, const std::vector<std::string>& personal) {
  const std::string name = "method \"" + method.name + "\"";
  if ((method.name == "fedper" || method.name == "fedrep") && personal.empty())
    return fail(ErrorCode::refused, name, "needs personal parameters, and the federation has none",
                "list the model's last layers in model.personal, for example [\"head.*\"]",
                {ReasonCode::option_invalid, {}});
  if (method.name == "ditto" && !personal.empty())
    return fail(ErrorCode::refused, name,
                "gives each device a model of its own with all parameters, and so has no personal ones",
                "leave out model.personal, or use \"fedrep\" or \"fedper\"",
                {ReasonCode::option_invalid, {}});
  for (const std::string& pattern : personal)
    if (is_layer_type(pattern) && pattern != normalisation_layers)
      return fail(ErrorCode::refused, name,
                  "has the personal parameters \"" + pattern + "\", which are no type of layer",
                  "the only one is \"" + std::string(normalisation_layers) + "\"",
                  {ReasonCode::option_invalid, {}});
  return {};
}

// Those that every optimiser has, around its own.
std::vector<OptionDescription> with_common_options(std::vector<OptionDescription> own) {
  const TrainingConfig defaults;
  std::vector<OptionDescription> out{
      {"epochs", std::int64_t{defaults.epochs}, {.least = 1, .most = 1'000}},
      {"batch_size", std::int64_t{defaults.batch_size}, {.least = 1, .most = 65'536}},
      {"learning_rate", defaults.learning_rate, {.least = 0, .at_least = Bound::exclusive}}};
  std::ranges::move(own, std::back_inserter(out));
  out.insert(out.end(), {{"weight_decay", defaults.weight_decay, {.least = 0}},
                         {"steps_max", std::int64_t{defaults.steps_max}, {.least = 0, .most = 4'000'000'000}},
                         {"personal", std::vector<std::string>{}},
                         {"clip_norm", defaults.clip_norm, {.least = 0}},
                         {"clip_value", defaults.clip_value, {.least = 0}},
                         {"accumulate", std::int64_t{defaults.accumulate}, {.least = 1, .most = 65'536}},
                         {"bfloat16", std::int64_t{defaults.bfloat16}, {.least = 0, .most = 1}}});
  return out;
}

std::vector<OptionDescription> adam_options() {
  const TrainingConfig defaults;
  const OptionRange decay{.least = 0, .most = 1, .at_most = Bound::exclusive};
  return with_common_options({{"beta1", defaults.beta1, decay},
                              {"beta2", defaults.beta2, decay},
                              {"epsilon", defaults.epsilon, {.least = 0, .at_least = Bound::exclusive}}});
}

// Those of SGD, and the method's own. The aggregator sets the run of methods with vectors on the devices
// (learning/internal/method_vector.h), the scale of what they send, and the reference of FedNova.
std::vector<OptionDescription> sgd_options_and(std::vector<OptionDescription> own) {
  std::vector<OptionDescription> out = sgd_options();
  std::ranges::move(own, std::back_inserter(out));
  return out;
}

OptionDescription run_of_vectors() { return {"run", std::string{}}; }

}  // namespace

const std::vector<OptionDescription>& sgd_options() {
  static const TrainingConfig defaults;
  static const std::vector<OptionDescription> options = with_common_options(
      {{"momentum", defaults.momentum, {.least = 0, .most = 1, .at_most = Bound::exclusive}},
       {"nesterov", std::int64_t{defaults.nesterov}, {.least = 0, .most = 1}}});
  return options;
}

// One entry for each method.
const MethodTable& built_in_methods() {
  constexpr double steps_most = 1e12;
  static const MethodTable table = {
      {"sgd", sgd_options()},
      {"adam", adam_options()},
      {"adamw", adam_options()},
      {"fedprox", sgd_options_and({{"mu", 0.01, {.least = 0}}})},
      {"scaffold",
       sgd_options_and({{"correction", std::string("inside")},
                        {"output_scale", 1.0, {.least = 0, .at_least = Bound::exclusive}},
                        run_of_vectors()}),
       {"control"},
       {"control_change"}},
      {"fednova",
       sgd_options_and({{"reference_steps", std::int64_t{1}, {.least = 1, .most = steps_most}}}),
       {},
       {},
       {"loss", "accuracy", "normalisation"}},
      {"feddyn",
       sgd_options_and({{"alpha", 0.01, {.least = 0, .at_least = Bound::exclusive}}, run_of_vectors()})},
      {"fedbn", sgd_options()},
      {"fedper", sgd_options()},
      {"fedrep", sgd_options_and({{"head_epochs", std::int64_t{1}, {.least = 1, .most = 1'000}}})},
      {"ditto", sgd_options_and({{"lambda", 1.0, {.least = 0}},
                                 {"personal_epochs", std::int64_t{0}, {.least = 0, .most = 1'000}}})},
      {"moon", sgd_options_and({{"mu", 1.0, {.least = 0}},
                                {"temperature", 0.5, {.least = 0, .at_least = Bound::exclusive}}})},
  };
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
                "install a version of hansa-client that has it, or choose another method",
                {ReasonCode::method_unknown, {}});
  std::set<std::string_view> names;
  for (const Option& option : method.options) {
    if (!names.insert(option.name).second)
      return fail(ErrorCode::refused, "option \"" + option.name + "\" of method \"" + method.name + "\"",
                  "is there twice", {}, {ReasonCode::option_invalid, {}});
    HANSA_TRY_VOID(check_option(*description, option));
  }
  return check_personal(method, training_config(*description, method).personal);
}

std::vector<Option> training_options(const TrainingConfig& config) {
  const TrainingConfig defaults;
  std::vector<Option> out{{"epochs", std::int64_t{config.epochs}},
                          {"batch_size", std::int64_t{config.batch_size}},
                          {"learning_rate", config.learning_rate}};
  if (config.optimizer == LocalOptimizer::sgd) out.push_back({"momentum", config.momentum});
  else out.insert(out.end(), {{"beta1", config.beta1}, {"beta2", config.beta2}, {"epsilon", config.epsilon}});
  out.insert(out.end(), {{"weight_decay", config.weight_decay},
                         {"steps_max", std::int64_t{config.steps_max}},
                         {"personal", config.personal}});
  const auto newer = [&](const char* name, auto value, auto default_value) {
    if (value != default_value) out.push_back({name, value});
  };
  newer("nesterov", std::int64_t{config.nesterov}, std::int64_t{defaults.nesterov});
  newer("clip_norm", config.clip_norm, defaults.clip_norm);
  newer("clip_value", config.clip_value, defaults.clip_value);
  newer("accumulate", std::int64_t{config.accumulate}, std::int64_t{defaults.accumulate});
  newer("bfloat16", std::int64_t{config.bfloat16}, std::int64_t{defaults.bfloat16});
  return out;
}

Method sgd_method(const TrainingConfig& config) { return {"sgd", training_options(config)}; }

TrainingConfig training_config(const MethodDescription& description, const Method& method) {
  TrainingConfig out;
  read(description, method, "epochs", out.epochs);
  read(description, method, "batch_size", out.batch_size);
  read(description, method, "learning_rate", out.learning_rate);
  read(description, method, "momentum", out.momentum);
  read(description, method, "nesterov", out.nesterov);
  read(description, method, "weight_decay", out.weight_decay);
  read(description, method, "steps_max", out.steps_max);
  read(description, method, "clip_norm", out.clip_norm);
  read(description, method, "clip_value", out.clip_value);
  read(description, method, "accumulate", out.accumulate);
  read(description, method, "bfloat16", out.bfloat16);
  read(description, method, "personal", out.personal);
  if (method.name == "fedbn" && std::ranges::find(out.personal, normalisation_layers) == out.personal.end())
    out.personal.emplace_back(normalisation_layers);
  if (method.name == "adam") out.optimizer = LocalOptimizer::adam;
  if (method.name == "adamw") out.optimizer = LocalOptimizer::adamw;
  read(description, method, "beta1", out.beta1);
  read(description, method, "beta2", out.beta2);
  read(description, method, "epsilon", out.epsilon);
  return out;
}

double number_option(const MethodDescription& description, const Method& method, std::string_view name) {
  double out = 0;
  std::int64_t integer = 0;
  read(description, method, name, integer);
  out = static_cast<double>(integer);
  read(description, method, name, out);
  return out;
}

}  // namespace hansa
