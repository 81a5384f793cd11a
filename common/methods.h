// Training methods in the form in which tasks name them: a name and typed options, without LibTorch.
//
// A description lists the options of a method with their ranges and defaults, and the vectors that the method
// exchanges in addition to the model and its delta. The aggregator's configuration and the client's check of a task
// read the same descriptions; learning/methods/ holds the code. To add a method, see built_in_methods() and
// learning/methods/registry.cpp.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/error.h"
#include "common/training.h"

namespace hansa {

// The first input and the first output of every task.
inline constexpr std::string_view model_input = "model";
inline constexpr std::string_view delta_output = "delta";  // the trained model minus the model

using OptionValue = std::variant<std::int64_t, double, std::string, std::vector<std::string>>;
struct Option {
  std::string name;
  OptionValue value;
  friend bool operator==(const Option&, const Option&) = default;
};
// The method that a task asks for. An option that is left out has its default.
struct Method {
  std::string name;
  std::vector<Option> options;
  friend bool operator==(const Method&, const Method&) = default;
};

enum class Bound : std::uint8_t { inclusive, exclusive };
// The range of a number. The lengths of texts and lists are limited by the messages.
struct OptionRange {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  Bound at_least = Bound::inclusive;
  Bound at_most = Bound::inclusive;
};
struct OptionDescription {
  std::string name;
  OptionValue default_value;  // its type is the option's
  OptionRange range = {};
};
struct MethodDescription {
  std::string name;
  std::vector<OptionDescription> options;
  // The inputs after "model" and the outputs after "delta", in order. Each has as many values as the model.
  std::vector<std::string> inputs = {};
  std::vector<std::string> outputs = {};
  // The metrics that a training may report. A client sends no others, because the code of a model could put data into
  // their names.
  std::vector<std::string> metrics = {"loss", "accuracy"};
};
// A vector that the aggregator keeps for a method. Each task has it as an input, and each round changes it by the weighted
// mean of the clients' outputs (server/methods/server_method.h).
struct ExchangedVector {
  std::string input;
  std::string output;
  friend bool operator==(const ExchangedVector&, const ExchangedVector&) = default;
};
using MethodTable = std::vector<MethodDescription>;

// The descriptions of the methods that Hansa ships (method_names.h).
[[nodiscard]] const MethodTable& built_in_methods();
// Null if the table has no method of that name.
[[nodiscard]] const MethodDescription* find_method(const MethodTable& table, std::string_view name);

// Pairs the inputs and outputs of a method. Fails (usage) if their numbers differ, because the aggregator cannot run
// such a method.
[[nodiscard]] Result<std::vector<ExchangedVector>> exchanged_vectors(const MethodDescription& method);

// Fails (refused) if the table lacks the method or an option, if an option is repeated, or if a value has the wrong
// type or is out of range. The error names the method or the option.
[[nodiscard]] Result<void> check_method(const MethodTable& table, const Method& method);

// The options of local training, which every method has, for the method of this name. Those that older clients do not
// know are left out where they have their default.
[[nodiscard]] std::vector<Option> training_options(const TrainingConfig& config);
// Mini-batch SGD: the method "sgd" with these options.
[[nodiscard]] Method sgd_method(const TrainingConfig& config);
// The options of local training. The method has passed check_method(). An option that it leaves out has the default of the
// description. `optimizer` is that of the method.
[[nodiscard]] TrainingConfig training_config(const MethodDescription& description, const Method& method);
// A number among the method's own options; the method has passed check_method().
[[nodiscard]] double number_option(const MethodDescription& description, const Method& method,
                                   std::string_view name);
// The descriptions of the options of local training with SGD.
[[nodiscard]] const std::vector<OptionDescription>& sgd_options();

}  // namespace hansa
