#include "tools/run_list.h"

#include <algorithm>
#include <tuple>
#include <unistd.h>

#include "common/folder_lock.h"
#include "server/config/federation_config.h"
#include "server/store/run_catalogue.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

Result<void> read_run(RunSummary& out, const std::string& metric) {
  HANSA_TRY(const bool empty,
            server::open_catalogue(out.folder.parent_path())->is_empty(out.folder.filename().string()));
  if (empty) return {};
  HANSA_TRY(const auto run, server::open_run_read_only(out.folder));
  HANSA_TRY(const auto identity, run->identity());
  if (!identity) return {};
  out.federation = identity->federation;
  out.started_from = identity->started_from;
  out.started = server::time_in_run_name(identity->run);
  HANSA_TRY(const auto end, run->end());
  if (end) out.end = end->why;
  if (out.state == RunState::empty) out.state = end ? RunState::finished : RunState::stopped;
  HANSA_TRY(const auto rounds, run->rounds());
  HANSA_TRY(const auto evaluations, run->evaluations());
  out.rounds = rounds.empty() ? 0 : rounds.back().round.value;
  if (out.started.empty() && !rounds.empty()) out.started = rounds.front().started_at;
  server::ClientCourses courses;
  for (const server::RoundRecord& round : rounds) courses.add(server::means_of(round));
  out.metric = courses.course(evaluations, metric);
  return {};
}

RunSummary summarise(const fs::path& folder, const std::string& name, const std::string& metric) {
  RunSummary out;
  out.name = name;
  out.folder = folder;
  out.started = server::time_in_run_name(name);
  if (is_folder_locked(folder)) out.state = RunState::running;
  if (auto read = read_run(out, metric); !read) {
    out.state = RunState::unreadable;
    out.reason = read.error().text();
  }
  return out;
}

}  // namespace

Result<fs::path> find_runs_folder(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error) || fs::exists(path / "federation.toml", error)) {
    const fs::path file = fs::is_directory(path, error) ? path / "federation.toml" : path;
    HANSA_TRY(const auto variables, server::read_federation_variables(environ));
    HANSA_TRY(const auto config, server::read_federation_config(file, variables));
    return config.runs;
  }
  if (fs::is_directory(path, error)) return path;
  return fail(ErrorCode::usage, path.string(), "is no folder",
              "name a federation's folder, its federation.toml, or its folder of runs");
}

Result<std::vector<RunSummary>> list_runs(const fs::path& folder, const std::string& metric) {
  std::vector<RunSummary> out;
  HANSA_TRY(const auto listed, server::list_run_folders(folder, server::Links::followed));
  for (const server::ListedRun& run : listed) {
    if (!run.problem) {
      out.push_back(summarise(run.folder, run.name, metric));
      continue;
    }
    RunSummary& unknown = out.emplace_back();
    unknown.name = run.name;
    unknown.folder = run.folder;
    unknown.state = RunState::unreadable;
    unknown.reason = run.problem->text();
  }
  std::ranges::stable_sort(out, [](const RunSummary& a, const RunSummary& b) {
    return std::tie(a.started, a.name) < std::tie(b.started, b.name);
  });
  return out;
}

Result<std::optional<fs::path>> find_begun_run(const fs::path& runs) {
  HANSA_TRY(const auto listed, list_runs(runs));
  for (auto run = listed.rbegin(); run != listed.rend(); ++run)
    if (run->state != RunState::empty && run->name.find('/') == std::string::npos) return run->folder;
  return std::nullopt;
}

Result<fs::path> find_run(const fs::path& path) {
  std::error_code error;
  // What does not exist is reported by the caller, which expects a run.
  if (server::is_run_folder(path) || !fs::exists(path, error)) return path;
  HANSA_TRY(const fs::path folder, find_runs_folder(path));
  HANSA_TRY(const auto run, find_begun_run(folder));
  if (run) return *run;
  return fail(ErrorCode::usage, folder.string(), "holds no run that has begun",
              "wait until enough clients are connected, or name another folder");
}

}  // namespace hansa::tools
