#include "server/setup/run_setup.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "common/files.h"
#include "common/vector_digest.h"

namespace hansa::server {
namespace {

std::string utc(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

// An unused folder name that sorts by age: fashion-mnist-20260102-030405, ...-2, ...
std::filesystem::path fresh_folder(const FederationConfig& config) {
  const std::string stem = config.name + "-" + utc("%Y%m%d-%H%M%S");
  auto folder = config.runs / stem;
  for (int i = 2; std::filesystem::exists(folder); ++i)
    folder = config.runs / (stem + "-" + std::to_string(i));
  return folder;
}

// Whether fresh_folder may have returned this name. "fashion-mnist-20260102-030405" is not a run of the federation
// "fashion".
bool is_run_of(const std::string& federation, const std::string& folder) {
  if (!folder.starts_with(federation + "-")) return false;
  const std::string_view stamp = std::string_view(folder).substr(federation.size() + 1);
  constexpr std::string_view pattern = "dddddddd-dddddd";
  if (stamp.size() < pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if (pattern[i] == 'd' ? stamp[i] < '0' || stamp[i] > '9' : stamp[i] != pattern[i]) return false;
  return stamp.size() == pattern.size() || stamp[pattern.size()] == '-';
}

std::optional<std::filesystem::path> newest_run(const FederationConfig& config) {
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(config.runs, error))
    if (entry.is_directory() && is_run_of(config.name, entry.path().filename().string()))
      folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end(), [](const auto& a, const auto& b) {
    std::error_code ignored;
    const auto time_a = std::filesystem::last_write_time(a, ignored);
    const auto time_b = std::filesystem::last_write_time(b, ignored);
    return time_a != time_b ? time_a > time_b : a > b;
  });
  if (folders.empty()) return {};
  return folders.front();
}

// The newest run of this federation, if it has rounds left. Older unfinished runs are not resumed: they were abandoned
// on purpose.
std::optional<std::filesystem::path> unfinished_run(const FederationConfig& config,
                                                    const ArchiveFacts& facts) {
  const auto folder = newest_run(config);
  if (!folder) return {};
  auto store = RunFolder::open_read_only(*folder);
  if (!store) return {};
  const auto identity = (*store)->identity();
  const auto position = (*store)->position();
  if (!identity || !*identity || !position || !*position) return {};
  const bool same = (**identity).federation == config.name && (**identity).seed == config.seed &&
                    (**identity).archive == facts.archive && (**identity).layout == facts.layout.digest();
  if (!same || (**position).round.value >= config.rounds) return {};
  return folder;
}

struct StartPoint {
  std::string text;
  PageVector<float> parameters;
  std::vector<StateVector> state;
  std::vector<PageVector<float>> vectors;  // of the state
};

Result<StartPoint> read_start_point(const std::string& from, const FederationConfig& config,
                                    const ArchiveFacts& facts) {
  const auto at = from.rfind('@');
  std::uint32_t number = 0;
  const auto bad = [&](std::string what) {
    return fail(ErrorCode::usage, "--from " + from, std::move(what), "give RUN@ROUND, e.g. runs/NAME@7");
  };
  if (at == std::string::npos) return bad("names no round");
  const auto [stop, error] = std::from_chars(from.data() + at + 1, from.data() + from.size(), number);
  if (error != std::errc() || stop != from.data() + from.size()) return bad("has no number after '@'");
  std::filesystem::path folder = from.substr(0, at);
  if (!std::filesystem::exists(folder)) folder = config.runs / folder;
  HANSA_TRY(const auto store, RunFolder::open_read_only(folder));
  HANSA_TRY(const auto identity, store->identity());
  if (!identity || identity->layout != facts.layout.digest())
    return fail(ErrorCode::model, "--from " + from, "has another parameter layout than [model] archive",
                "start from a run of the same model, with the same model.personal");
  Digest model = identity->initial_model;
  std::vector<StateVector> state = identity->initial_state;
  if (number > 0) {
    HANSA_TRY(const auto record, store->round(RoundId(number)));
    if (!record) return bad("names a round that is not committed");
    model = record->model;
    state = record->state;
  }
  StartPoint start{folder.filename().string() + "@" + std::to_string(number), {}, std::move(state), {}};
  start.parameters.resize(facts.layout.element_count());
  HANSA_TRY_VOID(store->get_model(model, start.parameters));
  for (const StateVector& kept : start.state) {
    start.vectors.emplace_back(facts.layout.element_count());
    HANSA_TRY_VOID(store->get_model(kept.vector, start.vectors.back()));
  }
  return start;
}

// Returns null if all values are float32 without encoding.
Result<std::shared_ptr<const codecs::Plan>> make_plan(const ParameterLayout& layout,
                                                      std::span<const codecs::Rule> rules,
                                                      const codecs::Spec& otherwise) {
  HANSA_TRY(auto segments, codecs::segments_of(layout, rules, otherwise));
  if (std::ranges::all_of(segments, [](const auto& s) { return s.spec.kind == codecs::Kind::f32; }))
    return nullptr;
  HANSA_TRY(auto plan, codecs::Plan::create(std::move(segments)));
  return std::make_shared<const codecs::Plan>(std::move(plan));
}

Result<Compression> plan_compression(const FederationConfig& config, const ParameterLayout& layout) {
  Compression out;
  HANSA_TRY(out.uplink, make_plan(layout, config.compression.rules, config.compression.uplink));
  HANSA_TRY(out.downlink, make_plan(layout, {}, config.compression.downlink));
  out.entropy = config.compression.entropy;
  out.full_every = config.compression.full_every;
  return out;
}

}  // namespace

std::string utc_now() { return utc("%Y-%m-%dT%H:%M:%SZ"); }

std::vector<std::string> admitted_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".pub") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Result<Health> read_health(const FederationConfig& config) {
  const auto folder = newest_run(config);
  if (!folder)
    return fail(ErrorCode::quorum, config.runs.string(), "holds no run of \"" + config.name + "\" yet",
                "start the aggregator, and wait for its clients");
  HANSA_TRY(const auto store, RunFolder::open_read_only(*folder));
  HANSA_TRY(const auto position, store->position());
  if (!position || position->round.value == 0)
    return fail(ErrorCode::quorum, folder->string(), "has no committed round yet", "wait for its clients");
  return Health{*folder, position->round};
}

Result<PreparedRun> prepare_run(const FederationConfig& config, const RunRequest& request,
                                const DescribeArchive& describe) {
  HANSA_TRY(ArchiveFacts facts, describe(config.model, config.training.personal));
  if (facts.layout.element_count() == 0)
    return fail(ErrorCode::model, config.model.string(), "has no floating point parameters to learn");
  HANSA_TRY_VOID(make_folders(config.runs));
  PreparedRun run;
  RunIdentity identity;
  PageVector<float> initial = std::move(facts.parameters);
  std::vector<PageVector<float>> initial_vectors;  // of identity.initial_state
  std::optional<std::filesystem::path> folder;
  if (!request.from.empty()) {
    HANSA_TRY(auto start, read_start_point(request.from, config, facts));
    identity.started_from = start.text;
    initial = std::move(start.parameters);
    identity.initial_state = std::move(start.state);
    initial_vectors = std::move(start.vectors);
  } else if (request.choice == RunChoice::resume_or_new) {
    folder = unfinished_run(config, facts);
  }
  run.resumed = folder.has_value();
  if (!folder) folder = fresh_folder(config);
  HANSA_TRY(run.store, RunFolder::open(*folder));
  identity.federation = config.name;
  identity.run = folder->filename().string();
  identity.seed = config.seed;
  identity.archive = facts.archive;
  identity.layout = facts.layout.digest();
  identity.initial_model = vector_digest(initial);
  if (run.resumed) {
    HANSA_TRY(const auto kept, run.store->identity());
    if (kept) identity = *kept;
  } else {
    HANSA_TRY(const Digest archive, run.store->put_archive(config.model));
    if (archive != facts.archive)
      return fail(ErrorCode::model, config.model.string(), "changed while it was read", "start again");
    HANSA_TRY_VOID(run.store->put_layout(facts.layout.text()));
    // Before the identity that names them.
    for (const auto& vector : initial_vectors) HANSA_TRY_VOID(run.store->put_model(vector));
    HANSA_TRY_VOID(run.store->begin_run(identity, initial));
  }
  HANSA_TRY(const auto position, run.store->position());
  if (position) run.position = position->round;
  run.optimizer = config.optimizer;
  run.initial_state = identity.initial_state;

  CoordinatorConfig& c = run.coordinator;
  c.settings.federation = config.name;
  run.run = identity.run;
  c.settings.seed = config.seed;
  c.settings.rounds = config.rounds;
  c.settings.after_last_round = config.after_last_round;
  c.settings.training = config.training;
  c.settings.cohort = config.cohort;
  c.settings.limits = config.limits;
  HANSA_TRY(c.compression, plan_compression(config, facts.layout));
  if (const auto& secure = config.secure_aggregation) {
    c.settings.secure_sums.emplace();
    c.settings.secure_sums->assumptions = secure->assumptions;
    c.settings.secure_sums->value_bits = secure->value_bits;
    c.settings.secure_sums->rotated = secure->rotated;
    c.settings.secure_sums->fraction = secure->fraction;
    c.settings.secure_sums->metrics = secure->metrics;
    c.settings.secure_sums->phase_max = secure->phase;
    for (const auto& parameter : facts.layout.entries()) c.model.segments.push_back(parameter.count);
  }
  c.model.archive = facts.archive;
  std::error_code error;
  c.model.archive_bytes = std::filesystem::file_size(run.store->archive_path(), error);
  if (error) return fail(ErrorCode::storage, run.store->archive_path().string(), "cannot be read");
  c.model.layout = identity.layout;
  c.model.elements = facts.layout.element_count();
  return run;
}

}  // namespace hansa::server
