#include "server/config/internal/strategy_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/aggregation/robust/make_robust_rule.h"
#include "server/config/federation_config.h"
#include "server/config/federation_schema.h"
#include "server/selection/quorum.h"

namespace hansa::server::internal {
namespace {

using config::Document;

// The key of an option of what `setting` chooses: "strategy.fedadam.tau".
std::string key_of(std::string_view name, std::string_view option) {
  return "strategy." + std::string(name) + "." + std::string(option);
}

// Where the choice has the option.
void read_number(const Document& document, std::string_view name, std::string_view option, double& into) {
  if (const std::string key = key_of(name, option); document.has(key)) into = document.number(key);
}

// Momentum belongs to SGD.
Result<void> check_momentum(const Document& document, const TrainingConfig& training) {
  const bool has_momentum = document.number("training.momentum") > 0;
  if (training.optimizer != LocalOptimizer::sgd && has_momentum)
    return fail(ErrorCode::usage, document.location("training.momentum"),
                "is for SGD, and strategy.method is \"" + document.text("strategy.method") +
                    "\", which has moments of its own",
                "remove it; strategy." + document.text("strategy.method") + ".beta1 is its counterpart");
  if (document.boolean("training.nesterov") && !has_momentum)
    return fail(ErrorCode::usage, document.location("training.nesterov"),
                "needs a momentum, and training.momentum is 0", "set training.momentum, for example to 0.9");
  return {};
}

// Refuses a selection that reads what a secure sum hides.
Result<void> check_selection(const Document& document, const FederationConfig& config) {
  if (!config.secure_aggregation || !reads_losses(config.selection)) return {};
  return fail(ErrorCode::usage, document.location("strategy.selection"),
              "is \"" + config.selection.name +
                  "\", which reads the loss of single clients, and secure aggregation hides it",
              "use \"uniform\", \"by_examples\" or \"new_data\", or set secure_aggregation.enabled = false");
}

// FedDyn has a server step of its own, which another one would change (Acar et al. 2021, algorithm 1).
Result<void> check_server_step(const Document& document, const FederationConfig& config) {
  if (config.method.name != "feddyn") return {};
  const ServerOptimizerConfig& optimizer = config.optimizer;
  const bool adds = optimizer.name == "fedavg" && optimizer.learning_rate == 1;
  if (adds) return {};
  return fail(ErrorCode::usage, document.location("strategy.server_optimizer"),
              (optimizer.name == "fedavg" ? std::string("has another learning_rate than 1")
                                          : "is \"" + optimizer.name + "\"") +
                  ", and the method \"feddyn\" makes the step of the aggregator itself",
              "use \"fedavg\" with its learning_rate of 1, or another method");
}

// Methods whose correction on the aggregator is that of a weighted mean (server/methods/).
bool corrects_mean(const Method& method) { return method.name == "fednova" || method.name == "feddyn"; }

}  // namespace

Result<Method> read_method(const Document& document, const std::vector<std::string>& personal) {
  TrainingConfig training;
  const std::string name = document.text("strategy.method");
  if (name == "adam") training.optimizer = LocalOptimizer::adam;
  if (name == "adamw") training.optimizer = LocalOptimizer::adamw;
  HANSA_TRY_VOID(check_momentum(document, training));
  training.epochs = static_cast<std::uint32_t>(document.integer("training.epochs"));
  training.batch_size = static_cast<std::uint32_t>(document.integer("training.batch_size"));
  training.learning_rate = document.number("training.learning_rate");
  training.momentum = document.number("training.momentum");
  training.weight_decay = document.number("training.weight_decay");
  training.steps_max = static_cast<std::uint32_t>(document.integer("training.steps_max"));
  training.personal = personal;
  training.nesterov = document.boolean("training.nesterov");
  training.clip_norm = document.number("training.clip_norm");
  training.clip_value = document.number("training.clip_value");
  training.accumulate = static_cast<std::uint32_t>(document.integer("training.accumulate"));
  training.bfloat16 = document.text("training.precision") == "bfloat16";
  Method out{name, training_options(training)};
  // What a method adds to the personal parameters, tasks list too.
  std::ranges::find(out.options, "personal", &Option::name)->value = training_config({}, out).personal;
  for (const OptionDescription& option : find_method(built_in_methods(), out.name)->options) {
    const std::string key = key_of(out.name, option.name);
    if (!document.has(key)) continue;
    OptionValue value = option.default_value;
    if (std::holds_alternative<std::int64_t>(value)) value = static_cast<std::int64_t>(document.integer(key));
    else if (std::holds_alternative<double>(value)) value = document.number(key);
    else if (std::holds_alternative<std::string>(value)) value = document.text(key);
    else value = document.texts(key);
    const auto given = std::ranges::find(out.options, option.name, &Option::name);
    if (given != out.options.end()) given->value = std::move(value);
    else out.options.push_back({option.name, std::move(value)});
  }
  if (auto valid = check_method(built_in_methods(), out); !valid)
    return fail(ErrorCode::usage, document.location("strategy.method"),
                valid.error().location + ": " + valid.error().what, valid.error().hint);
  return out;
}

Result<RateSchedule> read_rate_schedule(const Document& document, std::uint32_t rounds) {
  const auto count = [&](const char* key) {
    return static_cast<std::uint32_t>(document.integer(std::string("training.schedule.") + key));
  };
  RateSchedule out;
  out.name = document.text("training.schedule.kind");
  out.warm_up = count("warm_up");
  out.every = count("every");
  out.factor = document.number("training.schedule.factor");
  out.lowest = document.number("training.schedule.lowest");
  out.rounds = count("rounds");
  if (out.rounds == 0) out.rounds = rounds;
  if (out.name != "cosine") return out;
  if (out.rounds == 0)
    return fail(ErrorCode::usage, document.location("training.schedule.kind"),
                "is \"cosine\", which needs a last round, and federation.rounds is 0",
                "set training.schedule.rounds, or choose \"inverse_sqrt\"");
  if (out.warm_up >= out.rounds)
    return fail(ErrorCode::usage, document.location("training.schedule.warm_up"),
                "leaves no round for the cosine, whose last round is " + std::to_string(out.rounds),
                "lower it, or raise training.schedule.rounds");
  return out;
}

SelectionConfig read_selection(const Document& document) {
  SelectionConfig out;
  out.name = document.text("strategy.selection");
  const auto read = [&](const char* option, double& into) { read_number(document, out.name, option, into); };
  read("candidates", out.candidates);
  read("exploration", out.exploration);
  read("exploration_decay", out.exploration_decay);
  read("exploration_min", out.exploration_min);
  read("round_penalty", out.round_penalty);
  read("preferred_percentile", out.preferred_percentile);
  return out;
}

ServerOptimizerConfig read_optimizer(const Document& document) {
  ServerOptimizerConfig out;
  out.name = document.text("strategy.server_optimizer");
  const auto read = [&](const char* option, double& into) { read_number(document, out.name, option, into); };
  read("learning_rate", out.learning_rate);
  read("momentum", out.momentum);
  read("beta1", out.beta1);
  read("beta2", out.beta2);
  read("tau", out.tau);
  read("weight_decay", out.weight_decay);
  return out;
}

AggregationConfig read_aggregation(const Document& document) {
  AggregationConfig out;
  out.name = document.text("strategy.aggregation");
  const auto number = [&](const char* option, double& into) {
    read_number(document, out.name, option, into);
  };
  const auto count = [&](const char* option, auto& into) {
    if (const std::string key = key_of(out.name, option); document.has(key))
      into = static_cast<std::remove_reference_t<decltype(into)>>(document.integer(key));
  };
  number("trim", out.trim);
  number("norm", out.norm);
  number("radius", out.norm);
  count("faulty", out.faulty);
  count("chosen", out.chosen);
  count("passes", out.passes);
  out.memory_bytes_max = document.integer("limits.kept_updates_memory_mib") << 20;
  return out;
}

Result<void> check_strategy(const Document& document, const FederationConfig& config) {
  HANSA_TRY_VOID(check_selection(document, config));
  HANSA_TRY_VOID(check_server_step(document, config));
  if (!keeps_updates(config.aggregation)) return {};
  const std::string at = document.location("strategy.aggregation");
  const std::string rule = "is \"" + config.aggregation.name + "\", ";
  if (config.secure_aggregation)
    return fail(ErrorCode::usage, at,
                rule + "which needs the single updates, and secure aggregation hides them",
                "use \"mean\": a secure sum bounds each value by limits.magnitude_max; or set "
                "secure_aggregation.enabled = false");
  HANSA_TRY(const auto vectors, exchanged_vectors(*find_method(built_in_methods(), config.method.name)));
  if (!vectors.empty())
    return fail(ErrorCode::usage, at,
                rule + "and the method \"" + config.method.name +
                    "\" needs the mean of the vectors that its clients send in addition to the model",
                "use \"mean\", or another method");
  if (corrects_mean(config.method))
    return fail(ErrorCode::usage, at,
                rule + "and the method \"" + config.method.name +
                    "\" corrects the mean of the updates, weighted by examples",
                "use \"mean\", or another method");
  const std::size_t needed = make_robust_rule(config.aggregation)->updates_min();
  const std::uint32_t sure = quorum_of(config.cohort.quorum, config.cohort.clients_min);
  if (sure >= needed) return {};
  return fail(
      ErrorCode::usage, at,
      rule + "which needs " + std::to_string(needed) + " updates; a round may have " + std::to_string(sure) +
          " (cohort.quorum of cohort.clients_min = " + std::to_string(config.cohort.clients_min) + ")",
      "raise cohort.clients_min or cohort.quorum, or lower strategy." + config.aggregation.name + ".faulty");
}

std::vector<std::string> unused_strategies(const Document& document) {
  const std::array<std::string, 4> used{document.text("strategy.method"), document.text("strategy.selection"),
                                        document.text("strategy.aggregation"),
                                        document.text("strategy.server_optimizer")};
  constexpr std::string_view prefix = "strategy.";
  std::vector<std::string> out;
  for (const config::Table& table : federation_schema().tables) {
    if (!table.name.starts_with(prefix) || !document.has_table(table.name)) continue;
    if (std::ranges::find(used, table.name.substr(prefix.size())) != used.end()) continue;
    out.push_back(document.file().string() + ": [" + std::string(table.name) +
                  "] has no effect, because [strategy] chooses something else");
  }
  return out;
}

}  // namespace hansa::server::internal
