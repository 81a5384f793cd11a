#include "tools/run_list.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <unistd.h>

#include "common/folder_lock.h"
#include "server/config/federation_config.h"
#include "server/retention/retention.h"
#include "server/store/held_out.h"
#include "server/store/run_catalogue.h"
#include "server/store/training_metrics.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

// "2026-01-02T03:04:05Z" from the end of "mine-20260102-030405", also with a number after it; empty for other names.
std::string time_in_name(const std::string& name) {
  constexpr std::string_view pattern = "-dddddddd-dddddd";
  if (name.size() < pattern.size()) return {};
  for (std::size_t at = name.size() - pattern.size() + 1; at-- > 0;) {
    const std::string_view text = std::string_view(name).substr(at, pattern.size());
    const bool matches = std::ranges::equal(
        text, pattern, [](char c, char p) { return p == 'd' ? c >= '0' && c <= '9' : c == p; });
    if (!matches) continue;
    const auto part = [&](std::size_t from, std::size_t count) {
      return std::string(text.substr(from, count));
    };
    return part(1, 4) + "-" + part(5, 2) + "-" + part(7, 2) + "T" + part(10, 2) + ":" + part(12, 2) + ":" +
           part(14, 2) + "Z";
  }
  return {};
}

struct Means {
  RoundId round;
  Metrics metrics;
};

// The clients' means in training, of each round.
std::vector<Means> trained_means(const std::vector<server::RoundRecord>& rounds) {
  std::vector<Means> out;
  for (const server::RoundRecord& round : rounds)
    out.push_back({round.round, server::training_metrics(round)});
  return out;
}

// What the clients measured of the model after each round.
std::vector<Means> held_out_means(const std::vector<server::RoundRecord>& rounds) {
  std::vector<Means> out;
  for (const server::RoundRecord& round : rounds)
    if (const auto measured = server::held_out(round))
      out.push_back({measured->of_round, server::means_of(*measured)});
  return out;
}

std::optional<std::string> choose_metric(const std::vector<Means>& rounds, const std::string& wanted) {
  std::optional<std::string> first;
  for (const Means& round : rounds)
    for (const Metric& metric : round.metrics) {
      if (metric.name == (wanted.empty() ? "accuracy" : wanted)) return metric.name;
      if (!first) first = metric.name;
    }
  return wanted.empty() ? first : std::nullopt;
}

std::optional<MetricCourse> course_of(const std::vector<Means>& rounds, const std::string& wanted) {
  const auto name = choose_metric(rounds, wanted);
  if (!name) return std::nullopt;
  const bool lower = server::better_of(*name) == server::Better::lower;
  std::optional<MetricCourse> out;
  for (const Means& round : rounds) {
    const auto metric = std::ranges::find(round.metrics, *name, &Metric::name);
    if (metric == round.metrics.end() || metric->count <= 0) continue;
    const double mean = metric->sum / metric->count;
    if (!out) out = MetricCourse{*name, MetricOf::evaluation, round.round, mean, round.round, mean};
    // A mean that is not a number is the worst.
    if (!std::isnan(mean) && (std::isnan(out->best) || (lower ? mean < out->best : mean > out->best))) {
      out->best = mean;
      out->best_round = round.round;
    }
    out->last = mean;
    out->last_round = round.round;
  }
  return out;
}

Result<void> read_run(RunSummary& out, const std::string& metric) {
  HANSA_TRY(const bool empty,
            server::open_catalogue(out.folder.parent_path())->is_empty(out.folder.filename().string()));
  if (empty) return {};
  HANSA_TRY(const auto run, server::open_run_read_only(out.folder));
  HANSA_TRY(const auto identity, run->identity());
  if (!identity) return {};
  out.federation = identity->federation;
  out.started_from = identity->started_from;
  out.started = time_in_name(identity->run);
  HANSA_TRY(const auto end, run->end());
  if (end) out.end = end->why;
  if (out.state == RunState::empty) out.state = end ? RunState::finished : RunState::stopped;
  HANSA_TRY(const auto rounds, run->rounds());
  HANSA_TRY(const auto evaluations, run->evaluations());
  out.rounds = rounds.empty() ? 0 : rounds.back().round.value;
  if (out.started.empty() && !rounds.empty()) out.started = rounds.front().started_at;
  std::vector<Means> means;
  for (const auto& [round, metrics] : evaluations) means.push_back({round, metrics});
  out.metric = course_of(means, metric);
  if (out.metric) return {};
  out.metric = course_of(held_out_means(rounds), metric);
  if (out.metric) out.metric->of = MetricOf::held_out;
  if (out.metric) return {};
  out.metric = course_of(trained_means(rounds), metric);
  if (out.metric) out.metric->of = MetricOf::training;
  return {};
}

RunSummary summarise(const fs::path& folder, const std::string& name, const std::string& metric) {
  RunSummary out;
  out.name = name;
  out.folder = folder;
  out.started = time_in_name(name);
  if (is_folder_locked(folder)) out.state = RunState::running;
  if (auto read = read_run(out, metric); !read) {
    out.state = RunState::unreadable;
    out.reason = read.error().text();
  }
  return out;
}

Result<std::vector<std::string>> subfolders(const fs::path& folder) {
  return server::open_catalogue(folder)->list();
}

}  // namespace

const char* name(MetricOf of) {
  switch (of) {
    case MetricOf::evaluation: return "evaluation";
    case MetricOf::held_out: return "held-out";
    case MetricOf::training: return "training";
  }
  return "";
}

const char* name(RunState state) {
  switch (state) {
    case RunState::running: return "running";
    case RunState::stopped: return "stopped";
    case RunState::finished: return "finished";
    case RunState::empty: return "not begun";
    case RunState::unreadable: return "unreadable";
  }
  return "";
}

bool is_run_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / "federation.toml", error)) return false;  // it may have a folder models/ of its own
  return std::ranges::any_of(std::initializer_list<const char*>{"run.sqlite", "run.sqlite-wal",
                                                                "metrics.jsonl", "models", "archive.pt"},
                             [&](const char* part) { return fs::exists(folder / part, error) || error; });
}

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
  HANSA_TRY(auto names, subfolders(folder));
  std::error_code error;
  if (fs::is_directory(folder / server::simulated_folder, error))
    names.emplace_back(server::simulated_folder);
  for (const std::string& name : names) {
    if (is_run_folder(folder / name)) {
      out.push_back(summarise(folder / name, name, metric));
      continue;
    }
    // A folder that groups runs.
    const auto inner_names = subfolders(folder / name);
    if (!inner_names) {
      RunSummary& unknown = out.emplace_back();
      unknown.name = name;
      unknown.folder = folder / name;
      unknown.state = RunState::unreadable;
      unknown.reason = inner_names.error().text();
      continue;
    }
    for (const std::string& inner : *inner_names)
      if (is_run_folder(folder / name / inner))
        out.push_back(summarise(folder / name / inner, name + "/" + inner, metric));
  }
  std::ranges::stable_sort(out, [](const RunSummary& a, const RunSummary& b) {
    return std::tie(a.started, a.name) < std::tie(b.started, b.name);
  });
  return out;
}

Result<fs::path> find_run(const fs::path& path) {
  std::error_code error;
  // What does not exist is reported by the caller, which expects a run.
  if (is_run_folder(path) || !fs::exists(path, error)) return path;
  HANSA_TRY(const fs::path folder, find_runs_folder(path));
  HANSA_TRY(const auto runs, list_runs(folder));
  for (auto run = runs.rbegin(); run != runs.rend(); ++run)
    if (run->state != RunState::empty && run->folder.parent_path() == folder) return run->folder;
  return fail(ErrorCode::usage, folder.string(), "holds no run that has begun",
              "wait until enough clients are connected, or name another folder");
}

}  // namespace hansa::tools
