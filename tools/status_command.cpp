// hansa status: the rounds of a run, also while it is running.
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/metrics_text.h"
#include "common/text.h"
#include "server/config/devices_config.h"
#include "server/output/run_view.h"
#include "server/store/held_out.h"
#include "server/store/held_out_json.h"
#include "server/store/record_json.h"
#include "server/store/training_metrics.h"
#include "tools/commands.h"
#include "tools/json_text.h"
#include "tools/metrics_json.h"
#include "tools/run_list.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using server::Participation;
using server::RoundRecord;
using server::RunView;

struct StatusOptions {
  std::filesystem::path run;
  OutputForm form = OutputForm::table;
};

// "best: round 17 (test accuracy 0.8123)", and the command that starts from it if it is not the last one.
std::string best_line(const RunView& view) {
  const auto best = server::best_of(view);
  if (!best) return "";
  const auto last = view.rounds.back().round;
  const bool kept = view.rounds[best->round.value - 1].model_kept;
  return fmt::format("best: {}{}\n", printable(text_of(*best)),
                     best->round == last ? ""
                     : kept ? fmt::format("; begin a run from it with \"hansa-aggregator FILE --from {}@{}\"",
                                          view.folder.string(), best->round.value)
                            : "; its model was removed");
}

// The metrics of all evaluations, in the model's order; each is a column if they fit on a screen.
std::vector<std::string> metric_names(const RunView& view) {
  constexpr std::size_t columns_max = 6;
  std::vector<std::string> out;
  for (const auto& [round, metrics] : view.evaluations)
    for (const Metric& metric : metrics)
      if (out.size() < columns_max && std::find(out.begin(), out.end(), metric.name) == out.end())
        out.push_back(metric.name);
  return out;
}

// The names of what the clients measured, those of the newest round first.
std::vector<std::string> training_names(const std::vector<Metrics>& training) {
  constexpr std::size_t columns_max = 3;
  std::vector<std::string> out;
  for (auto metrics = training.rbegin(); metrics != training.rend(); ++metrics)
    for (const Metric& metric : *metrics)
      if (out.size() < columns_max && std::find(out.begin(), out.end(), metric.name) == out.end())
        out.push_back(metric.name);
  return out;
}

// The last attempts that were abandoned, with their reasons.
void print_abandoned(const RunView& view) {
  constexpr std::size_t shown_max = 5;
  const std::size_t all = view.abandoned.size();
  if (all == 0) return;
  fmt::print("abandoned attempts: {}{}\n", all == server::abandoned_attempts_max ? "at least " : "", all);
  for (std::size_t i = all - std::min(all, shown_max); i < all; ++i) {
    const server::AbandonedAttempt& attempt = view.abandoned[i];
    fmt::print("  {}  round {}, attempt {}: {}\n", attempt.at, attempt.round.value, attempt.attempt,
               printable(attempt.reason));
  }
}

// What the clients measured of each round's model, in the round after it.
std::map<RoundId, server::HeldOut> held_out_of(const RunView& view) {
  std::map<RoundId, server::HeldOut> out;
  for (const RoundRecord& round : view.rounds)
    if (auto measured = server::held_out(round)) out[measured->of_round] = std::move(*measured);
  return out;
}

// "held out on the clients, after round 6: loss 0.52 (...)": the newest measurement, with its spread.
std::string held_out_line(const std::map<RoundId, server::HeldOut>& held_out) {
  if (held_out.empty()) return "";
  const auto& [round, newest] = *held_out.rbegin();
  return fmt::format("held out on the clients, after round {}: {}\n", round.value,
                     printable(text_of(newest)));
}

void print_table(const RunView& view) {
  const std::vector<std::string> names = metric_names(view);
  const std::map<RoundId, server::HeldOut> held_out = held_out_of(view);
  std::vector<Metrics> on_clients;  // the means
  for (const RoundRecord& round : view.rounds) {
    const auto found = held_out.find(round.round);
    on_clients.push_back(found == held_out.end() ? Metrics{} : server::means_of(found->second));
  }
  const std::vector<std::string> measured = training_names(on_clients);
  std::vector<Metrics> training;
  for (const RoundRecord& round : view.rounds) training.push_back(server::training_metrics(round));
  const std::vector<std::string> trained = training_names(training);
  std::vector<Column> columns{{"round"}, {"selected"}, {"counted"}};
  for (const std::string& name : trained) columns.push_back({"train " + name});
  for (const std::string& name : measured) columns.push_back({"held-out " + name});
  for (const std::string& name : names) columns.push_back({name});
  // For secure rounds: the clients that dropped out after the key exchange, whose masks were reconstructed; the time
  // that the key and share exchange took during training; and the time of the unmasking exchange.
  const bool secure =
      std::ranges::any_of(view.rounds, [](const RoundRecord& r) { return r.secure.has_value(); });
  if (secure) columns.insert(columns.end(), {{"recovered"}, {"setup s"}, {"unmask s"}});
  // Whether the round's model is still there, where [store] keep removes some.
  const bool some_removed =
      std::ranges::any_of(view.rounds, [](const RoundRecord& r) { return !r.model_kept; });
  columns.insert(columns.end(), {{"up"}, {"down"}, {"seconds"}});
  if (some_removed) columns.push_back({"model", Align::left});
  columns.push_back({"lost", Align::left});
  TextTable table(columns);
  for (const RoundRecord& round : view.rounds) {
    const server::RoundTotals sums = server::totals_of(round);
    const Metrics* metrics = server::find_evaluation(view, round.round);
    std::vector<std::string> row{std::to_string(round.round.value),
                                 std::to_string(round.participations.size()), std::to_string(sums.counted)};
    const auto at = static_cast<std::size_t>(&round - view.rounds.data());
    for (const std::string& name : trained) row.push_back(mean_text(training[at], name));
    for (const std::string& name : measured) row.push_back(mean_text(on_clients[at], name));
    for (const std::string& name : names) row.push_back(metrics != nullptr ? mean_text(*metrics, name) : "-");
    if (secure && round.secure)
      row.insert(row.end(),
                 {std::to_string(round.secure->recovered), fmt::format("{:.2f}", round.secure->setup_seconds),
                  fmt::format("{:.2f}", round.secure->unmask_seconds)});
    else if (secure) row.insert(row.end(), {"-", "-", "-"});
    row.insert(row.end(), {bytes_text(sums.bytes_up), bytes_text(sums.bytes_down),
                           fmt::format("{:.2f}", round.seconds)});
    if (some_removed) row.push_back(round.model_kept ? "kept" : "removed");
    row.push_back(server::lost_text(round));
    table.add_row(std::move(row));
  }
  const Digest model = view.rounds.empty() ? view.identity.initial_model : view.rounds.back().model;
  fmt::print("federation {}, run {}\n{}{}{}model: {}\n", view.identity.federation,
             view.identity.run + (view.identity.kind == server::RunKind::simulated ? " (simulated)" : ""),
             table.text(), held_out_line(held_out), best_line(view), model.text());
  if (view.statistics)
    fmt::print("inputs are scaled by statistics of {} columns: --json has them\n",
               view.statistics->columns());
  if (view.end) fmt::print("finished at {}: {}\n", view.end->at, printable(view.end->why));
  print_abandoned(view);
  std::string changes;
  for (std::size_t i = 1; i < view.configurations.size(); ++i)
    changes += (i > 1 ? ", " : "") + std::to_string(view.configurations[i].after.value);
  if (!changes.empty())
    fmt::print("configuration changed after round {}: the versions are in the run's folder config/\n",
               changes);
}

nlohmann::json participation_json(const Participation& participation) {
  nlohmann::json out{{"client", participation.client},
                     {"outcome", server::name(participation.outcome)},
                     {"bytes_up", participation.bytes_up},
                     {"bytes_down", participation.bytes_down},
                     {"seconds", participation.seconds},
                     {"train_seconds", participation.train_seconds},
                     {"metrics", metrics_json(participation.metrics)}};
  if (participation.outcome == server::Outcome::counted) {
    if (participation.examples > 0)
      out["examples"] = participation.examples;  // 0 in a secure round, where only the sum is known
    out["update"] = participation.update.text();
  } else {
    out["reason"] = participation.reason;
  }
  return out;
}

void print_json(const RunView& view) {
  nlohmann::json rounds = nlohmann::json::array();
  for (const RoundRecord& round : view.rounds) {
    const server::RoundTotals sums = server::totals_of(round);
    nlohmann::json participations = nlohmann::json::array();
    for (const Participation& participation : round.participations)
      participations.push_back(participation_json(participation));
    nlohmann::json entry{{"round", round.round.value},
                         {"model", round.model.text()},
                         {"model_kept", round.model_kept},
                         {"base", round.base.text()},
                         {"started_at", round.started_at},
                         {"seconds", round.seconds},
                         {"attempt", round.attempt},
                         {"selected", round.participations.size()},
                         {"counted", sums.counted},
                         {"bytes_up", sums.bytes_up},
                         {"bytes_down", sums.bytes_down},
                         {"participations", participations},
                         {"examples", server::training_examples(round)},
                         {"update_norm", round.update_norm},
                         {"training", metrics_json(server::training_metrics(round))}};
    if (const auto measured = server::held_out(round)) entry["held_out"] = server::held_out_json(*measured);
    if (const auto& secure = round.secure) {
      entry["secure"] = server::secure_sum_json(*secure);
      entry["secure"]["examples"] = secure->examples;
      entry["secure"]["metrics"] = metrics_json(server::training_metrics(round));
    }
    if (const Metrics* metrics = server::find_evaluation(view, round.round))
      entry["evaluation"] = metrics_json(*metrics);
    rounds.push_back(std::move(entry));
  }
  nlohmann::json configured_after = nlohmann::json::array();
  for (const auto& version : view.configurations) configured_after.push_back(version.after.value);
  nlohmann::json abandoned = nlohmann::json::array();
  for (const server::AbandonedAttempt& attempt : view.abandoned)
    abandoned.emplace_back(server::abandoned_json(attempt));
  nlohmann::json document{{"federation", view.identity.federation},
                          {"run", view.identity.run},
                          {"seed", view.identity.seed},
                          {"archive", view.identity.archive.text()},
                          {"layout", view.identity.layout.text()},
                          {"initial_model", view.identity.initial_model.text()},
                          {"started_from", view.identity.started_from},
                          {"configured_after", configured_after},
                          {"abandoned_attempts", abandoned},
                          {"simulated", view.identity.kind == server::RunKind::simulated},
                          {"rounds", rounds}};
  if (view.statistics)
    document["statistics"] = {{"means", view.statistics->means}, {"deviations", view.statistics->deviations}};
  if (view.end) document["finished"] = {{"at", view.end->at}, {"why", view.end->why}};
  if (const auto best = server::best_of(view))
    document["best"] = {{"round", best->round.value}, {"metric", best->metric}, {"value", best->value}};
  // Reasons come from clients. The listing must not end at bytes that are not UTF-8.
  fmt::print("{}\n", json_text(document));
}

// The federation's folder is two above the run, as `hansa new` makes it; elsewhere nothing is known.
void warn_about_root_key(const std::filesystem::path& run) {
  const auto file =
      std::filesystem::absolute(run).lexically_normal().parent_path().parent_path() / "federation.toml";
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return;
  const auto config = server::read_devices_config(file);
  if (!config || !config->enrolment || config->enrolment->root_key.empty()) return;
  fmt::print(
      stderr,
      "warning: the root key is on the aggregator's machine ([enrolment] root_key of {}), and signs every "
      "device with a valid token: for trials only\n",
      file.string());
}

Result<void> run_status(const StatusOptions& options) {
  HANSA_TRY(const std::filesystem::path run, find_run(options.run));
  HANSA_TRY(const RunView view, server::read_run_view(run));
  warn_about_root_key(run);
  if (options.form == OutputForm::json) print_json(view);
  else print_table(view);
  return {};
}

}  // namespace

void add_status_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand("status", "Show the rounds of a run, also while it runs");
  command->footer(
      "Examples:\n  hansa status runs            # the newest run\n  hansa status runs/mine-20260101-120000 "
      "--json");
  auto options = std::make_shared<StatusOptions>();
  command
      ->add_option("RUN", options->run,
                   "A run folder; for the newest run, the folder of runs or the federation's folder")
      ->required();
  command->add_flag_callback(
      "--json", [options] { options->form = OutputForm::json; },
      "Print JSON, with each client's participation in each round");
  command->callback([options, &outcome] { outcome = run_status(*options); });
}

}  // namespace hansa::tools
