#include "server/setup/run_decision.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "server/config/rounds.h"
#include "server/setup/newest_run.h"
#include "server/store/run_statistics.h"

namespace hansa::server {
namespace {

// "the model archive and the seed"; empty if the run began with the same ones. Fails (storage) if the run's contract
// cannot be read.
Result<std::string> changes_since(Run& run, const RunIdentity& identity, const FederationConfig& config,
                                  const ArchiveFacts& facts) {
  HANSA_TRY(const std::string contract, run.contract());
  std::string out;
  const auto add = [&](std::string_view what) {
    out += fmt::format("{}{}", out.empty() ? "" : " and ", what);
  };
  if (identity.archive != facts.archive) add("the model archive");
  else if (identity.layout != facts.layout.digest()) add("the parameter layout (model.personal)");
  if (identity.seed != config.seed) add("federation.seed");
  if (contract != (config.data_contract ? identity_of(*config.data_contract) : std::string()))
    add("[data_contract]");
  std::optional<StatisticsKey> statistics;
  if (config.statistics) statistics = {config.statistics->columns, config.statistics->version};
  if (statistics_of(identity) != statistics) add("[statistics]");
  return out;
}

Result<RoundId> last_round(Run& run) {
  HANSA_TRY(const auto position, run.position());
  return position ? position->round : RoundId{};
}

Result<RunDecision> decide_newest(const FederationConfig& config, const ArchiveFacts& facts, RunKind kind,
                                  RunCatalogue& runs) {
  HANSA_TRY(const auto newest, find_newest_run(config.name, kind, runs));
  if (!newest)
    return RunDecision{{}, fmt::format("no run of \"{}\" has begun in {}", config.name, runs.location())};
  auto checked = newest->run->check_newest();
  if (!checked) return fail_damaged_run(std::move(checked).error(), config.name);
  HANSA_TRY(const RoundId last, last_round(*newest->run));
  if (has_all_rounds(last, config.rounds))
    return RunDecision{{},
                       fmt::format("the newest run, {}, has all of its {} rounds", newest->name, last.value),
                       std::move(*checked)};
  HANSA_TRY(const std::string changes, changes_since(*newest->run, newest->identity, config, facts));
  if (!changes.empty())
    return RunDecision{{},
                       fmt::format("{} changed since run {} (round {}), which is not continued{}", changes,
                                   newest->name, rounds_text(last, config.rounds),
                                   last.value == 0 ? ""
                                                   : fmt::format("; \"--from {}@{}\" begins with its model",
                                                                 newest->name, last.value)),
                       std::move(*checked)};
  return RunDecision{newest->name,
                     fmt::format("it is the newest run of \"{}\" and has rounds left", config.name),
                     std::move(*checked)};
}

// The names of this federation's newest runs, for a hint.
Result<std::string> names_of(const FederationConfig& config, RunCatalogue& runs) {
  constexpr std::size_t names_max = 4;
  HANSA_TRY(auto names, runs.list());
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(config.name + "-"); });
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), names_max); ++i)
    out += (i > 0 ? ", " : "") + names[names.size() - 1 - i];
  return out;
}

// The name in the catalogue: of a path, too, which an operator completes with the shell.
std::string name_in(const RunCatalogue& runs, const std::string& run) {
  std::filesystem::path path(run);
  if (!path.has_filename()) path = path.parent_path();  // it ended with a slash
  std::error_code error;
  const bool inside =
      path.has_parent_path() && std::filesystem::equivalent(path.parent_path(), runs.location(), error);
  return inside && !error ? path.filename().string() : run;
}

Result<RunDecision> decide_named(const FederationConfig& config, const ArchiveFacts& facts,
                                 const RunRequest& request, RunCatalogue& runs) {
  const std::string name = name_in(runs, request.run);
  const auto refused = [&](std::string what, std::string hint) {
    return fail(ErrorCode::usage, "--run " + request.run, std::move(what), std::move(hint));
  };
  if (request.kind == RunKind::production &&
      std::filesystem::path(request.run).parent_path().filename() == simulated_folder)
    return refused("is a simulated run", "begin a run from its model with --from " + request.run + "@ROUND");
  HANSA_TRY(const auto names, runs.list());
  if (std::ranges::find(names, name) == names.end()) {
    HANSA_TRY(const std::string known, names_of(config, runs));
    return refused("is no run in " + runs.location(),
                   known.empty() ? "leave --run out to begin one" : "its newest runs are " + known);
  }
  HANSA_TRY(const auto run, runs.open_read_only(name));
  HANSA_TRY(const auto identity, run->identity());
  if (!identity) return refused("never began", "leave --run out to begin a run");
  HANSA_TRY(const RoundId last, last_round(*run));
  const std::string from = fmt::format("begin a run from its model with --from {}@{}", name, last.value);
  if (identity->kind != request.kind)
    return refused(identity->kind == RunKind::simulated ? "is a simulated run" : "is not a simulated run",
                   from);
  if (identity->federation != config.name)
    return refused("belongs to federation \"" + identity->federation + "\", not \"" + config.name + "\"",
                   from);
  HANSA_TRY(const std::string changes, changes_since(*run, *identity, config, facts));
  if (!changes.empty()) {
    // A model of another layout is no start.
    const bool fits = identity->layout == facts.layout.digest();
    return refused(fmt::format("cannot be resumed: {} changed since it began", changes),
                   "restore what it began with, or " + (fits ? from : "begin a new run with --new"));
  }
  if (has_all_rounds(last, config.rounds))
    return refused(fmt::format("has all of its {} rounds", last.value),
                   "raise federation.rounds, or " + from);
  HANSA_TRY(auto notes, run->check_newest());
  HANSA_TRY(const auto newest, find_newest_run(config.name, request.kind, runs));
  if (newest && newest->name != name)
    notes.push_back(fmt::format("run {} is newer: a start without --run continues that one", newest->name));
  return RunDecision{name, "--run was given", std::move(notes)};
}

}  // namespace

Result<RunDecision> decide_run(const FederationConfig& config, const ArchiveFacts& facts,
                               const RunRequest& request, RunCatalogue& runs) {
  if (!request.from.empty()) return RunDecision{{}, "--from " + request.from + " was given"};
  switch (request.choice) {
    case RunChoice::new_run:
      return RunDecision{
          {}, request.kind == RunKind::simulated ? "a simulation always begins a run" : "--new was given"};
    case RunChoice::resume_named: return decide_named(config, facts, request, runs);
    case RunChoice::resume_or_new: break;
  }
  return decide_newest(config, facts, request.kind, runs);
}

}  // namespace hansa::server
