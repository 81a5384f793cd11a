#include "server/output/mlflow_folder.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/files.h"
#include "common/text.h"
#include "common/utc.h"
#include "server/output/series.h"

namespace hansa::server {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t param_bytes_max = 6000;  // MLflow's limit for a param's value

std::int64_t milliseconds_of(double time) { return static_cast<std::int64_t>(std::llround(time * 1000)); }

// 18 digits, the first not 0, as MLflow's own identifiers of experiments.
std::string experiment_id(const std::string& federation) {
  const Digest digest = sha256("experiment of the federation " + federation);
  std::string out;
  for (std::size_t i = 0; i < 18; ++i)
    out += static_cast<char>((i == 0 ? '1' : '0') + digest.bytes[i] % (i == 0 ? 9 : 10));
  return out;
}

std::string run_id(const RunIdentity& identity) {
  return sha256("run of the federation " + identity.federation + "\n" + identity.run).hex().substr(0, 32);
}

// A YAML scalar in single quotes. The texts are names of federations and runs; a character that YAML does not allow
// there is replaced.
std::string yaml(std::string_view text) {
  std::string out = "'";
  for (const char c : printable(text)) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string file_uri(const fs::path& path) {
  std::string out = "file://";
  for (const char c : path.string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '-' || c == '_' || c == '.' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// As Python's float() reads it.
std::string value_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return fmt::format("{}", value);
}

Result<void> write_below(const fs::path& folder, const std::string& name, std::string_view text) {
  const fs::path file = folder / name;
  HANSA_TRY_VOID(make_folders(file.parent_path()));
  return write_file_atomically(file, text);
}

Result<void> write_experiment(const fs::path& folder, const std::string& id, const std::string& federation,
                              std::int64_t created) {
  std::error_code error;
  if (fs::exists(folder / "meta.yaml", error)) return {};
  return write_below(folder, "meta.yaml",
                     fmt::format("artifact_location: {}\ncreation_time: {}\nexperiment_id: '{}'\n"
                                 "last_update_time: {}\nlifecycle_stage: active\nname: {}\n",
                                 yaml(file_uri(folder)), created, id, created, yaml(federation)));
}

struct RunMeta {
  std::string id;
  std::string experiment;
  std::int64_t started = 0;
  std::int64_t ended = 0;
};

std::string meta_text(const fs::path& folder, const MlflowRun& run, const RunMeta& meta) {
  const std::string ended = run.status == MlflowStatus::running ? "null" : std::to_string(meta.ended);
  return fmt::format(
      "artifact_uri: {}\nend_time: {}\nentry_point_name: ''\nexperiment_id: '{}'\nlifecycle_stage: active\n"
      "run_id: '{}'\nrun_name: {}\nrun_uuid: '{}'\nsource_name: ''\nsource_type: 4\nsource_version: ''\n"
      "start_time: {}\nstatus: {}\ntags: []\nuser_id: ''\n",
      yaml(file_uri(folder / "artifacts")), ended, meta.experiment, meta.id, yaml(run.view.identity.run),
      meta.id, meta.started, static_cast<int>(run.status));
}

Result<void> write_metrics(const fs::path& folder, std::span<const SeriesRow> rows) {
  for (const Series& series : series_of(rows)) {
    std::string text;
    for (const SeriesPoint& point : series.points)
      text +=
          fmt::format("{} {} {}\n", milliseconds_of(point.time), value_text(point.value), point.round.value);
    HANSA_TRY_VOID(write_below(folder, series.name, text));
  }
  return {};
}

Result<void> write_tags(const fs::path& folder, const RunView& view) {
  const RunIdentity& identity = view.identity;
  std::vector<std::pair<std::string, std::string>> tags{
      {"mlflow.runName", identity.run},
      {"mlflow.source.name", "hansa"},
      {"mlflow.source.type", "LOCAL"},
      {"hansa.federation", identity.federation},
      {"hansa.archive", identity.archive.text()},
      {"hansa.initial_model", identity.initial_model.text()},
      {"hansa.simulated", identity.kind == RunKind::simulated ? "true" : "false"}};
  if (!identity.started_from.empty()) tags.emplace_back("hansa.started_from", identity.started_from);
  if (!view.rounds.empty()) tags.emplace_back("hansa.model", view.rounds.back().model.text());
  if (view.end) tags.emplace_back("hansa.end", view.end->why);
  for (const auto& [name, text] : tags) HANSA_TRY_VOID(write_below(folder, name, text));
  return {};
}

}  // namespace

Result<fs::path> write_mlflow_run(const fs::path& folder, const MlflowRun& run) {
  const std::vector<SeriesRow> rows = rows_of(run.view);
  RunMeta meta{run_id(run.view.identity), experiment_id(run.view.identity.federation), 0, 0};
  if (!run.view.rounds.empty()) {
    meta.started = milliseconds_of(start_time(run.view.rounds.front()));
    meta.ended = milliseconds_of(commit_time(run.view.rounds.back()));
  }
  const fs::path root = fs::absolute(folder).lexically_normal();
  const fs::path experiment = root / meta.experiment;
  HANSA_TRY_VOID(write_experiment(experiment, meta.experiment, run.view.identity.federation, meta.started));
  const fs::path out = experiment / meta.id;
  for (const char* part : {"artifacts", "metrics", "params", "tags"})
    HANSA_TRY_VOID(make_folders(out / part));
  HANSA_TRY_VOID(write_metrics(out / "metrics", rows));
  HANSA_TRY_VOID(write_tags(out / "tags", run.view));
  HANSA_TRY_VOID(write_below(out / "params", "seed", std::to_string(run.view.identity.seed)));
  for (const auto& [name, value] : run.settings)
    HANSA_TRY_VOID(write_below(out / "params", safe_component(name),
                               value.substr(0, utf8_prefix(value, param_bytes_max))));
  if (!run.view.configurations.empty())
    HANSA_TRY_VOID(write_below(out / "artifacts", "federation.toml", run.view.configurations.back().text));
  // Last, so that MLflow sees a complete run.
  HANSA_TRY_VOID(write_below(out, "meta.yaml", meta_text(out, run, meta)));
  return out;
}

}  // namespace hansa::server
