#include "server/setup/run_setup.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "common/available_memory.h"
#include "common/files.h"
#include "common/vector_digest.h"
#include "protocols/enrolment/manifest_file.h"
#include "server/setup/model_approval.h"
#include "server/setup/newest_run.h"
#include "server/setup/round_memory.h"
#include "server/setup/run_decision.h"
#include "server/store/round_model.h"
#include "server/store/run_statistics.h"

namespace hansa::server {
namespace {

struct StartPoint {
  std::string text;
  RunKind kind;  // of the run
  PageVector<float> parameters;
  std::vector<StateVector> state;
  std::vector<PageVector<float>> vectors;  // of the state
  std::optional<RunStatistics> statistics;
};

// The run that --from names: a path, or a name in the catalogue.
Result<std::unique_ptr<Run>> open_named(const std::string& run, RunCatalogue& runs) {
  std::error_code ignored;
  return std::filesystem::exists(run, ignored) ? open_run_read_only(run) : runs.open_read_only(run);
}

// "scaffold.control". What belongs to it on the devices is of the other run, and is not used in the new one: both begin at
// zero.
bool is_of_method(const StateVector& vector) {
  const std::size_t dot = vector.name.find('.');
  return dot != std::string::npos && find_method(built_in_methods(), vector.name.substr(0, dot)) != nullptr;
}

Result<StartPoint> read_start_point(const std::string& from, RunCatalogue& runs, const ArchiveFacts& facts) {
  const auto at = from.rfind('@');
  std::uint32_t number = 0;
  const auto bad = [&](std::string what) {
    return fail(ErrorCode::usage, "--from " + from, std::move(what), "give RUN@ROUND, e.g. runs/NAME@7");
  };
  if (at == std::string::npos) return bad("names no round");
  const auto [stop, error] = std::from_chars(from.data() + at + 1, from.data() + from.size(), number);
  if (error != std::errc() || stop != from.data() + from.size()) return bad("has no number after '@'");
  const std::string name = from.substr(0, at);
  HANSA_TRY(const auto run, open_named(name, runs));
  HANSA_TRY(const auto identity, run->identity());
  if (!identity || identity->layout != facts.layout.digest())
    return fail(ErrorCode::model, "--from " + from, "has another parameter layout than [model] archive",
                "start from a run of the same model, with the same model.personal");
  auto found = find_round_model(*run, RoundId(number));
  if (!found) {
    Error problem = std::move(found).error();
    problem.location = "--from " + from;
    return tl::unexpected<Error>(std::move(problem));
  }
  StartPoint start{std::filesystem::path(name).filename().string() + "@" + std::to_string(number),
                   identity->kind,
                   {},
                   std::move(found->state),
                   {},
                   {}};
  std::erase_if(start.state, is_statistics);
  std::erase_if(start.state, is_of_method);
  HANSA_TRY(start.statistics, read_statistics(*run));
  start.parameters.resize(facts.layout.element_count());
  HANSA_TRY_VOID(run->get_model(found->model, start.parameters));
  for (const StateVector& kept : start.state) {
    start.vectors.emplace_back(facts.layout.element_count());
    HANSA_TRY_VOID(run->get_model(kept.vector, start.vectors.back()));
  }
  return start;
}

StatisticsKey key_of(const StatisticsConfig& config) { return {config.columns, config.version}; }

// Those of the newest run, which spares the clients a further sum over the same data. Empty: it has no such statistics.
std::optional<RunStatistics> newest_statistics(const FederationConfig& config, RunCatalogue& runs,
                                               std::vector<std::string>& notes) {
  const auto newest = find_newest_run(config.name, RunKind::production, runs);
  if (!newest || !*newest) return std::nullopt;
  auto found = read_statistics(*(*newest)->run);
  // --new begins a run also if the newest one is damaged.
  if (!found || !*found || (*found)->key != key_of(*config.statistics)) return std::nullopt;
  notes.push_back("the statistics of the clients' data are those of run " + (*newest)->name +
                  "; another statistics.version computes them again");
  return std::move(*found);
}

Result<void> add_statistics(const StatisticsKey& key, std::span<const float> vector, Run& store,
                            RunIdentity& identity) {
  HANSA_TRY(const Digest digest, store.put_model(vector));
  identity.initial_state.push_back({name_of(key), digest});
  return {};
}

// What clients send for a method's vectors is added to a sum that is never made again, so that errors stay: a codec without
// bias, with a scale for each 512 values, because these changes are small (server/methods/scaffold.h divides them by examples).
constexpr codecs::Spec exchanged_spec{codecs::Kind::quantised, 8, 0, 0};

// A plan of that many vectors with the layout, of which the first one is the model's delta. Returns null if all values are
// float32 without encoding.
Result<std::shared_ptr<const codecs::Plan>> make_plan(const ParameterLayout& layout,
                                                      std::span<const codecs::Rule> rules,
                                                      const codecs::Spec& otherwise, std::size_t vectors) {
  HANSA_TRY(auto segments, codecs::segments_of(layout, rules, otherwise));
  if (std::ranges::all_of(segments, [](const auto& s) { return s.spec.kind == codecs::Kind::f32; }))
    return nullptr;
  for (std::size_t i = 1; i < vectors; ++i) segments.push_back({layout.element_count(), exchanged_spec, 0});
  HANSA_TRY(auto plan, codecs::Plan::create(std::move(segments)));
  return std::make_shared<const codecs::Plan>(std::move(plan));
}

// vectors: the number of vectors in an update.
Result<Compression> plan_compression(const FederationConfig& config, const ParameterLayout& layout,
                                     std::size_t vectors) {
  Compression out;
  HANSA_TRY(out.uplink, make_plan(layout, config.compression.rules, config.compression.uplink, vectors));
  HANSA_TRY(out.downlink, make_plan(layout, {}, config.compression.downlink, 1));
  out.entropy = config.compression.entropy;
  out.full_every = config.compression.full_every;
  return out;
}

std::vector<secure_aggregation::Segment> segments_of(const ParameterLayout& layout) {
  std::vector<secure_aggregation::Segment> out;
  for (const ParameterEntry& entry : layout.entries())
    out.push_back({entry.count, 1,
                   entry.kind == ParameterKind::buffer ? secure_aggregation::SegmentKind::statistics
                                                       : secure_aggregation::SegmentKind::parameters});
  return out;
}

void note_coarse_statistics(const std::vector<secure_aggregation::Segment>& segments, PreparedRun& run) {
  const auto is_statistics = [](const secure_aggregation::Segment& segment) {
    return segment.kind == secure_aggregation::SegmentKind::statistics;
  };
  if (std::ranges::any_of(segments, is_statistics) &&
      std::ranges::none_of(secure_aggregation::segments_of_sum(segments), is_statistics))
    run.notes.emplace_back(
        "the model has so many buffers that secure sums round them as coarsely as its parameters: see "
        "Statistics in docs/secure-aggregation.md");
}

// Each line, with '#' before it.
std::string comment_of(const std::string& lines) {
  std::string out = lines.empty() ? "" : "# ";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += lines[i];
    if (lines[i] == '\n' && i + 1 < lines.size()) out += "# ";
  }
  return out;
}

// In buffered aggregation an update is the difference to an older model. Added to a newer one, it can make a variance
// negative.
Result<void> check_running_variances(const FederationConfig& config, const ParameterLayout& layout) {
  if (config.cohort.mode != CohortMode::buffered) return {};
  for (const ParameterEntry& entry : layout.entries())
    if (entry.kind == ParameterKind::buffer && entry.name.ends_with("running_var"))
      return fail(
          ErrorCode::usage, config.model.string(),
          "has the running variance \"" + entry.name +
              "\", which cohort.mode = \"buffered\" could make negative: it adds differences to older "
              "models",
          "keep them on the devices with model.personal = [\"*running_*\", \"*num_batches_tracked\"], "
          "use a normalisation without them, or set cohort.mode = \"synchronous\"");
  return {};
}

// What server optimisers only average.
std::vector<ServerOptimizerConfig::Range> buffers_of(const ParameterLayout& layout) {
  std::vector<ServerOptimizerConfig::Range> out;
  for (const ParameterEntry& entry : layout.entries())
    if (entry.kind == ParameterKind::buffer && entry.count > 0) out.push_back({entry.offset, entry.count});
  return out;
}

// The run keeps the configuration that it is made with, and each later one with the round that it follows.
Result<void> keep_configuration(const FederationConfig& config, PreparedRun& run) {
  if (config.file.empty()) return {};  // it was not read from a file
  constexpr std::size_t bytes_max = std::size_t{1} << 20;
  HANSA_TRY(std::string text, read_text_file(config.file, bytes_max));
  if (!config.variables.empty())
    text += "\n# Environment variables, which replace values above:\n" + comment_of(config.variables.lines());
  HANSA_TRY(const auto kept, run.store->configurations());
  if (!kept.empty() && kept.back().text == text) return {};
  if (!kept.empty() && run.resumed)
    run.notes.push_back(config.file.string() + " has changed: the rounds after " +
                        std::to_string(run.position.value) + " use the new version, and the run keeps both");
  return run.store->put_configuration(run.position, text);
}

}  // namespace

Result<void> begin(PreparedRun& run, const FederationConfig& config, const ColumnStatistics& statistics) {
  auto& [identity, initial] = *run.unbegun;
  run.statistics = vector_of(statistics);
  HANSA_TRY_VOID(add_statistics(key_of(*config.statistics), run.statistics, *run.store, identity));
  HANSA_TRY_VOID(run.store->begin_run(identity, initial));
  run.initial_state = identity.initial_state;
  run.unbegun.reset();
  return {};
}

std::vector<std::string> admitted_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".pub") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Result<Health> read_health(const FederationConfig& config, RunCatalogue& runs) {
  HANSA_TRY(const auto newest, find_newest_run(config.name, RunKind::production, runs));
  if (!newest)
    return fail(ErrorCode::quorum, runs.location(), "holds no run of \"" + config.name + "\" yet",
                "start the aggregator, and wait for its clients");
  HANSA_TRY(const auto position, newest->run->position());
  if (!position || position->round.value == 0)
    return fail(ErrorCode::quorum, newest->run->location(), "has no committed round yet",
                "wait for its clients");
  return Health{newest->run->location(), position->round};
}

Result<PreparedRun> prepare_run(const FederationConfig& config, RunCatalogue& runs, const RunRequest& request,
                                const DescribeArchive& describe) {
  // First of all: a sum whose round was not committed must not stay on disk, also if its run is not continued.
  runs.remove_abandoned();
  HANSA_TRY(ArchiveFacts facts, describe(config.model, config.personal));
  if (facts.layout.element_count() == 0)
    return fail(ErrorCode::model, config.model.string(), "has no floating point parameters to learn");
  PreparedRun run;
  RunIdentity identity;
  HANSA_TRY_VOID(check_running_variances(config, facts.layout));
  PageVector<float> initial = std::move(facts.parameters);
  std::vector<PageVector<float>> initial_vectors;  // of identity.initial_state
  std::optional<RunStatistics> statistics;
  HANSA_TRY(RunDecision decision, decide_run(config, facts, request, runs));
  std::optional<std::string> name = decision.resumed;
  run.notes = std::move(decision.notes);
  run.why = std::move(decision.why);
  if (!request.from.empty()) {
    HANSA_TRY(auto start, read_start_point(request.from, runs, facts));
    identity.started_from = start.text;
    initial = std::move(start.parameters);
    identity.initial_state = std::move(start.state);
    initial_vectors = std::move(start.vectors);
    statistics = std::move(start.statistics);
    if (statistics && !config.statistics)
      run.notes.push_back("the model of " + start.text +
                          " was trained with the statistics of the clients' data, and the new run has none");
    else if (statistics && statistics->key != key_of(*config.statistics))
      run.notes.push_back("the model of " + start.text +
                          " was trained with other statistics of the clients' data");
    if (start.kind != request.kind)
      run.notes.push_back("the new run starts from " + start.text + ", a round of a " +
                          (start.kind == RunKind::simulated ? "simulated" : "production") + " run");
  }
  run.resumed = name.has_value();
  std::optional<std::string> kept_manifest;
  if (name) {
    HANSA_TRY(run.store, runs.open(*name, config.retention));
    HANSA_TRY(kept_manifest, run.store->manifest());
  }
  std::optional<secure_aggregation::ModelManifest> manifest;
  if (request.approval == Approval::needed) {
    HANSA_TRY(manifest, find_manifest(config, facts, kept_manifest));
  }
  if (!config.statistics || (statistics && statistics->key != key_of(*config.statistics))) statistics.reset();
  if (!name && config.statistics && !statistics && request.kind == RunKind::production)
    statistics = newest_statistics(config, runs, run.notes);
  if (!name) {
    HANSA_TRY(name, fresh_run_name(config.name, runs));
    HANSA_TRY(run.store, runs.create(*name, config.retention));
  }
  identity.federation = config.name;
  identity.run = *name;
  identity.seed = config.seed;
  identity.kind = request.kind;
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
    if (config.data_contract) HANSA_TRY_VOID(run.store->put_contract(identity_of(*config.data_contract)));
    // Stored before the identity that names them.
    for (const auto& vector : initial_vectors) HANSA_TRY_VOID(run.store->put_model(vector));
    if (statistics) HANSA_TRY_VOID(add_statistics(statistics->key, statistics->vector, *run.store, identity));
    if (config.statistics && !statistics) run.unbegun = UnbegunRun{identity, std::move(initial)};
    else HANSA_TRY_VOID(run.store->begin_run(identity, initial));
  }
  if (config.statistics && !run.unbegun) {
    HANSA_TRY(auto kept, read_statistics(*run.store));
    if (kept) run.statistics = std::move(kept->vector);
  }
  if (request.approval == Approval::unused) {
    if (auto unchecked = matching_manifest(config, facts))
      run.coordinator.model.approval = std::move(unchecked->approval);
  }
  if (manifest) {
    run.coordinator.model.approval = manifest->approval;
    if (const std::string text = enrolment::text_of(*manifest); text != kept_manifest)
      HANSA_TRY_VOID(run.store->put_manifest(text));
  }
  HANSA_TRY(const auto position, run.store->position());
  if (position) run.position = position->round;
  HANSA_TRY_VOID(keep_configuration(config, run));
  run.optimizer = config.optimizer;
  run.optimizer.averaged = buffers_of(facts.layout);
  std::ranges::copy(config.notes, std::back_inserter(run.notes));
  HANSA_TRY(std::string note, check_round_memory(config, admitted_names(config.admitted).size(),
                                                 facts.layout.element_count(), available_memory()));
  if (!note.empty()) run.notes.push_back(std::move(note));
  run.initial_state = identity.initial_state;

  CoordinatorConfig& c = run.coordinator;
  c.settings.federation = config.name;
  run.run = identity.run;
  c.settings.seed = config.seed;
  c.settings.rounds = config.rounds;
  c.settings.after_last_round = config.after_last_round;
  c.settings.method = config.method;
  c.settings.rate_schedule = config.rate_schedule;
  HANSA_TRY(c.settings.vectors, exchanged_vectors(*find_method(built_in_methods(), config.method.name)));
  c.settings.selection = config.selection;
  c.settings.aggregation = config.aggregation;
  c.settings.cohort = config.cohort;
  c.settings.schedule = config.schedule;
  c.settings.limits = config.limits;
  c.settings.contract = config.data_contract;
  c.settings.client_evaluation = config.client_evaluation;
  HANSA_TRY(c.compression, plan_compression(config, facts.layout, 1 + c.settings.vectors.size()));
  if (const auto& secure = config.secure_aggregation) {
    c.settings.secure_sums.emplace();
    c.settings.secure_sums->assumptions = secure->assumptions;
    c.settings.secure_sums->value_bits = secure->value_bits;
    c.settings.secure_sums->rotated = secure->rotated;
    c.settings.secure_sums->fraction = secure->fraction;
    c.settings.secure_sums->metrics = secure->metrics;
    c.settings.secure_sums->phase_max = secure->phase;
    c.settings.secure_sums->certificate_epoch = secure->epoch;
    c.settings.secure_sums->honest_min = secure->honest_min;
    c.model.segments = segments_of(facts.layout);
    note_coarse_statistics(c.model.segments, run);
  }
  c.model.archive = facts.archive;
  HANSA_TRY(run.archive, run.store->archive_file());
  std::error_code error;
  c.model.archive_bytes = std::filesystem::file_size(run.archive, error);
  if (error) return fail(ErrorCode::storage, run.archive.string(), "cannot be read");
  c.model.layout = identity.layout;
  c.model.elements = facts.layout.element_count();
  if (facts.layout.entries().size() <= layer_norms_max)
    for (const ParameterEntry& entry : facts.layout.entries()) run.layer_sizes.push_back(entry.count);
  return run;
}

}  // namespace hansa::server
