// hansa strategies: what [cohort] and [strategy] of federation.toml can choose, with papers, options, memory and what goes with what.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/config/strategies.h"
#include "tools/commands.h"
#include "tools/json_text.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

// "0 to 1", or "inside, outside".
std::string values_of(const config::Setting& setting) {
  return setting.choices.empty() ? config::range_text(setting)
                                 : fmt::format("{}", fmt::join(setting.choices, ", "));
}

using server::Strategy;

nlohmann::json json_of(const Strategy& strategy) {
  nlohmann::json options = nlohmann::json::array();
  for (const config::Setting& setting : server::options_of(strategy))
    options.push_back({{"key", setting.key},
                       {"default", setting.default_value},
                       {"range", values_of(setting)},
                       {"meaning", setting.meaning}});
  return {{"kind", server::key_of(strategy.kind)},
          {"name", strategy.name},
          {"what", strategy.what},
          {"source", strategy.source},
          {"memory", strategy.memory},
          {"secure_aggregation", strategy.with_secure_aggregation},
          {"buffered", server::goes_with_buffered(strategy)},
          {"limits", strategy.limits},
          {"options", std::move(options)}};
}

void print_json() {
  nlohmann::json out = nlohmann::json::array();
  for (const Strategy& strategy : server::strategies()) out.push_back(json_of(strategy));
  fmt::print("{}\n", json_text(out));
}

void print_text() {
  std::string_view kind;
  for (const Strategy& strategy : server::strategies()) {
    if (const std::string_view key = server::key_of(strategy.kind); key != kind) {
      fmt::print("{}[{}] {} =\n", kind.empty() ? "" : "\n", server::table_of(strategy.kind), key);
      kind = key;
    }
    fmt::print("  \"{}\": {}\n", strategy.name, strategy.what);
    fmt::print("      source: {}\n", strategy.source);
    fmt::print("      memory: {}\n", strategy.memory);
    if (!strategy.with_secure_aggregation) fmt::print("      not with secure aggregation\n");
    if (strategy.kind != server::StrategyKind::mode && !server::goes_with_buffered(strategy))
      fmt::print("      not with cohort.mode = \"buffered\"\n");
    if (!strategy.limits.empty()) fmt::print("      {}\n", strategy.limits);
    for (const config::Setting& setting : server::options_of(strategy))
      fmt::print("      {} = {}  ({}) {}\n", setting.key, setting.default_value, values_of(setting),
                 setting.meaning);
  }
}

}  // namespace

void add_strategies_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand(
      "strategies", "List the modes, training methods, selections, aggregations and server optimisers");
  command->footer("Example:\n  hansa strategies --json");
  auto form = std::make_shared<OutputForm>(OutputForm::table);
  command->add_flag_callback(
      "--json", [form] { *form = OutputForm::json; }, "Print JSON");
  command->callback([form, &outcome] {
    if (*form == OutputForm::json) print_json();
    else print_text();
    outcome = {};
  });
}

}  // namespace hansa::tools
