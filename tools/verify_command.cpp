// hansa verify: whether everything that a run stores matches its digests, also while it is running.
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "server/store/run_catalogue.h"
#include "tools/commands.h"
#include "tools/json_text.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

struct VerifyOptions {
  std::filesystem::path run;
  OutputForm form = OutputForm::table;
};

void print_json(const server::RunCheck& check) {
  const nlohmann::json document{
      {"round", check.last.value},  {"history", check.history.is_zero() ? "" : check.history.text()},
      {"vectors", check.vectors},   {"deltas", check.deltas},
      {"problems", check.problems}, {"notes", check.notes}};
  fmt::print("{}\n", json_text(document));
}

void print_text(const server::RunCheck& check) {
  fmt::print("rounds: 0 to {}\nvectors: {}, deltas: {}\n", check.last.value, check.vectors, check.deltas);
  if (!check.history.is_zero()) fmt::print("history: {}\n", check.history.text());
  for (const std::string& note : check.notes) fmt::print("note: {}\n", printable(note));
  for (const std::string& problem : check.problems) fmt::print("problem: {}\n", printable(problem));
}

Result<void> run_verify(const VerifyOptions& options) {
  HANSA_TRY(const auto run, server::open_run_read_only(options.run));
  HANSA_TRY(const server::RunCheck check, run->verify());
  if (options.form == OutputForm::json) print_json(check);
  else print_text(check);
  if (check.problems.empty()) return {};
  return fail(
      ErrorCode::storage, options.run.string(),
      "does not match its digests: " + check.problems.front() +
          (check.problems.size() > 1 ? "; and " + std::to_string(check.problems.size() - 1) + " more" : ""),
      "restore the run from a copy; docs/runs.md says what each digest covers");
}

}  // namespace

void add_verify_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command =
      hansa.add_subcommand("verify", "Check a run's rows, models and archive against their digests");
  command->footer("Example:\n  hansa verify runs/fashion-20260101-120000");
  auto options = std::make_shared<VerifyOptions>();
  command->add_option("RUN", options->run, "Run folder")->required();
  command->add_flag_callback(
      "--json", [options] { options->form = OutputForm::json; }, "Print JSON");
  command->callback([options, &outcome] { outcome = run_verify(*options); });
}

}  // namespace hansa::tools
