#include "server/monitor/internal/run_routes.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "common/column_statistics.h"
#include "server/monitor/internal/request_reader.h"
#include "server/monitor/internal/run_summary.h"
#include "server/monitor/privacy.h"
#include "server/monitor/round_grid.h"
#include "server/monitor/run_json.h"
#include "server/store/record_json.h"
#include "server/store/round_model.h"
#include "server/store/run_statistics.h"

namespace hansa::server::internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t rounds_max = 2'000;  // in an answer
constexpr std::uint32_t norm_rounds_max = 200;
constexpr std::size_t norms_max = 200'000;  // in an answer
constexpr std::size_t abandoned_max = 100;
constexpr std::size_t configurations_max = 50;
constexpr std::size_t lineage_max = 64;
constexpr std::size_t name_segments_max = 3;  // "mine/simulated/mine-20260102-030405"
constexpr std::uint64_t round_max = 0xffffffff;

http::Response json_answer(Result<std::string> body) {
  if (!body) return answer_to(body.error());
  http::Response out;
  out.body = std::move(*body);
  out.body += '\n';
  return out;
}

std::string joined(const std::vector<std::string>& objects) {
  std::string out = "[";
  for (const std::string& object : objects) {
    if (out.size() > 1) out += ',';
    out += object;
  }
  return out + "]";
}

const FederationConfig* config_of(const RunSource& run, const std::optional<LiveRun>& live) {
  if (live && live->name == run.name()) return live->config;
  return run.configuration() ? &*run.configuration() : nullptr;
}

// For a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Of the file that is saved: letters that every file system allows.
std::string file_name(const std::string& run, RoundId round) {
  std::string out = run + "-round-" + std::to_string(round.value) + ".f32";
  for (char& c : out) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '_' || c == '.';
    if (!is_plain) c = '_';
  }
  return out;
}

// "RUN@ROUND"; empty if the text is none.
std::optional<std::pair<std::string, std::uint32_t>> parse_start(const std::string& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos) return std::nullopt;
  const auto round = whole_number(std::string_view(text).substr(at + 1), round_max);
  if (!round) return std::nullopt;
  return std::pair(text.substr(0, at), static_cast<std::uint32_t>(*round));
}

}  // namespace

http::Response RunRoutes::list(const http::Request& request, const std::optional<LiveRun>& live) {
  if (auto checked = check_parameters(request, {}); !checked) return answer_to(checked.error());
  const auto runs = library_.all();
  if (!runs) return answer_to(runs.error());
  Json out = Json::array();
  for (RunSource* run : *runs) {
    out.push_back(api_run(*run, config_of(*run, live)));
    run->close();
  }
  return json_answer(text_of(out));
}

Result<std::string> RunRoutes::federation() {
  HANSA_TRY(const auto runs, library_.all());
  std::set<std::string> names;
  for (const RunSource* run : runs)
    if (run->identity()) names.insert(run->identity()->federation);
  return names.size() == 1 ? *names.begin() : std::string();
}

std::optional<http::Response> RunRoutes::handle(const http::Request& request,
                                                const std::vector<std::string>& segments,
                                                const std::optional<LiveRun>& live) {
  for (std::size_t count = std::min(segments.size(), name_segments_max); count > 0; --count) {
    std::string name = segments[0];
    for (std::size_t i = 1; i < count; ++i) name += "/" + segments[i];
    const auto found = library_.find(name);
    if (!found) return answer_to(found.error());
    if (*found == nullptr) continue;
    RunSource& run = **found;
    if (auto refreshed = run.refresh(); !refreshed) return answer_to(refreshed.error());
    if (!run.identity()) return http::error_response(404, "not_begun", "this run has not begun");
    const auto store = run.open();
    if (!store) return answer_to(store.error());
    return answer(request, {run, **store, config_of(run, live)},
                  {segments.begin() + static_cast<std::ptrdiff_t>(count), segments.end()});
  }
  return http::error_response(404, "not_found", "there is no such run", "GET /api/v1/runs lists the runs");
}

http::Response RunRoutes::answer(const http::Request& request, const Subject& subject,
                                 const std::vector<std::string>& rest) {
  const std::string what = rest.empty() ? "" : rest[0];
  if (what == "rounds" && rest.size() == 1) return json_answer(rounds(request, subject));
  if (auto checked = check_parameters(request, {}); !checked) return answer_to(checked.error());
  if (rest.empty()) return json_answer(detail(subject));
  if (rest.size() == 1 && what == "model") return json_answer(model(subject));
  if (rest.size() == 1 && what == "configuration") return json_answer(configuration(subject));
  if (rest.size() == 1 && what == "privacy") return json_answer(privacy(subject));
  const bool is_round = what == "rounds" && (rest.size() == 2 || (rest.size() == 3 && rest[2] == "model"));
  if (!is_round) return not_found("there is no such path");
  const auto number = whole_number(rest[1], round_max);
  if (!number) return http::error_response(400, "usage", "the round is not a whole number");
  const RoundId wanted(static_cast<std::uint32_t>(*number));
  const bool is_model = rest.size() == 3;
  if (wanted > subject.run.last_round() || (wanted.value == 0 && !is_model))
    return http::error_response(404, "not_found", "this round is not committed",
                                "the last one is " + std::to_string(subject.run.last_round().value));
  return is_model ? values(subject, wanted) : json_answer(round(subject, wanted));
}

Result<std::string> RunRoutes::detail(const Subject& subject) {
  Json out = api_run(subject.run, subject.config);
  const RunIdentity& identity = *subject.run.identity();
  out["seed"] = std::to_string(identity.seed);
  out["archive"] = identity.archive.hex();
  out["layout"] = identity.layout.hex();
  out["initial_model"] = identity.initial_model.hex();
  HANSA_TRY(const ParameterLayout layout, subject.store.layout());
  out["model"] = {{"parameters", layout.element_count()}, {"bytes", layout.element_count() * sizeof(float)}};
  out["why_ended"] = nullptr;
  if (const auto& end = subject.run.end()) out["why_ended"] = end->why;
  HANSA_TRY(const auto configurations, subject.store.configurations());
  out["configured_after"] = Json::array();
  for (const auto& configuration : configurations)
    out["configured_after"].push_back(configuration.after.value);
  HANSA_TRY(const auto abandoned, subject.store.abandoned_attempts());
  out["abandoned"] = Json::array();
  for (std::size_t i = abandoned.size() - std::min(abandoned.size(), abandoned_max); i < abandoned.size();
       ++i)
    out["abandoned"].push_back(abandoned_json(abandoned[i]));
  out["statistics"] = nullptr;
  HANSA_TRY(const auto statistics, read_statistics(subject.store));
  if (statistics) {
    HANSA_TRY(const ColumnStatistics columns, statistics_of_vector(statistics->vector));
    out["statistics"] = {{"means", columns.means}, {"deviations", columns.deviations}};
  }
  out["method"] = subject.config != nullptr ? subject.config->method.name : "";
  out["optimizer"] = subject.config != nullptr ? subject.config->optimizer.name : "";
  return text_of(out);
}

Result<std::string> RunRoutes::rounds(const http::Request& request, const Subject& subject) {
  HANSA_TRY_VOID(check_parameters(request, {"after", "limit", "points"}));
  HANSA_TRY(const auto after, number_parameter(request, "after", {0, round_max}));
  HANSA_TRY(const auto limit, number_parameter(request, "limit", {1, rounds_max}));
  HANSA_TRY(const auto points, number_parameter(request, "points", {2, rounds_max}));
  if (points && (after || limit))
    return fail(ErrorCode::usage, "parameter \"points\"", "goes with neither \"after\" nor \"limit\"");
  const RoundId last = subject.run.last_round();
  std::vector<RoundId> wanted;
  if (points) {
    wanted = thinned_rounds(last, static_cast<std::uint32_t>(*points), subject.run.evaluated_rounds());
  } else {
    const std::uint64_t most =
        std::min<std::uint64_t>(after.value_or(0) + limit.value_or(rounds_max), last.value);
    for (std::uint64_t round = after.value_or(0) + 1; round <= most; ++round)
      wanted.emplace_back(static_cast<std::uint32_t>(round));
  }
  HANSA_TRY(const auto texts, subject.run.round_texts(wanted));
  return "{\"rounds\":" + joined(texts) + ",\"last\":" + std::to_string(last.value) + "}";
}

Result<std::string> RunRoutes::round(const Subject& subject, RoundId round) {
  HANSA_TRY(const auto record, subject.store.round(round));
  if (!record) return fail(ErrorCode::storage, subject.store.location(), "has lost a round");
  Json participants = Json::array();
  for (const Participation& participation : record->participations)
    participants.push_back(api_participant(participation));
  Json layers = nullptr;
  HANSA_TRY(const auto norms, subject.store.layer_norms(round));
  if (!norms.empty()) {
    HANSA_TRY(const ParameterLayout layout, subject.store.layout());
    layers = Json::array();
    for (std::size_t i = 0; i < std::min(norms.size(), layout.entries().size()); ++i)
      layers.push_back({{"name", layout.entries()[i].name}, {"norm", norms[i]}});
  }
  Json arrivals = nullptr;
  HANSA_TRY(const auto updates, subject.store.arrivals(round));
  if (!updates.empty()) arrivals = Json::array();
  for (const Arrival& update : updates)
    arrivals.push_back({{"client", update.client},
                        {"base", update.base.value},
                        {"task", update.task},
                        {"staleness", update.staleness},
                        {"weight", update.weight}});
  std::string out = api_round(*record, subject.run.evaluation(round));
  out.pop_back();
  return out + ",\"participants\":" + text_of(participants) + ",\"layers\":" + text_of(layers) +
         ",\"arrivals\":" + text_of(arrivals) + "}";
}

Result<std::string> RunRoutes::model(const Subject& subject) {
  HANSA_TRY(const ParameterLayout layout, subject.store.layout());
  const auto entries = layout.entries();
  const RoundId last = subject.run.last_round();
  Json out{{"parameters", layout.element_count()}, {"bytes", layout.element_count() * sizeof(float)}};
  out["layers"] = Json::array();
  for (const ParameterEntry& entry : entries)
    out["layers"].push_back({{"name", entry.name},
                             {"shape", entry.shape},
                             {"values", entry.count},
                             {"trained", entry.kind == ParameterKind::trainable}});
  // Of all layers, or of none: more are not recorded.
  Json norm_rounds = Json::array(), by_layer = Json::array();
  if (entries.size() <= layer_norms_max && !entries.empty()) {
    const auto points =
        static_cast<std::uint32_t>(std::clamp<std::size_t>(norms_max / entries.size(), 2, norm_rounds_max));
    std::vector<Json> norms(entries.size(), Json::array());
    for (const RoundId round : thinned_rounds(last, points)) {
      HANSA_TRY(const auto of_round, subject.store.layer_norms(round));
      norm_rounds.push_back(round.value);
      for (std::size_t i = 0; i < entries.size(); ++i)
        norms[i].push_back(of_round.size() == entries.size() ? Json(of_round[i]) : Json(nullptr));
    }
    for (std::size_t i = 0; i < entries.size(); ++i)
      by_layer.push_back({{"name", entries[i].name}, {"norms", std::move(norms[i])}});
  }
  out["norms"] = {{"rounds", std::move(norm_rounds)}, {"by_layer", std::move(by_layer)}};

  out["export_command"] = "hansa model export " +
                          quoted(std::filesystem::absolute(subject.run.folder()).lexically_normal().string() +
                                 "@" + std::to_string(last.value)) +
                          " -o model.pt";

  // The subject may be gone after a search for another run.
  out["lineage"] = Json::array({{{"run", subject.run.name()}, {"round", last.value}}});
  std::string from = subject.run.identity()->started_from;
  const std::string group = subject.run.name().substr(0, subject.run.name().rfind('/') + 1);
  while (out["lineage"].size() < lineage_max) {
    const auto start = parse_start(from);
    if (!start) break;
    // The text names a run of the same folder, or one of its subfolder for simulations.
    auto parent = library_.find(group + start->first);
    if (parent && *parent == nullptr) parent = library_.find(start->first);
    const bool is_known = parent && *parent != nullptr && (*parent)->refresh() && (*parent)->identity();
    out["lineage"].push_back(
        {{"run", is_known ? (*parent)->name() : start->first}, {"round", start->second}});
    if (!is_known) break;
    from = (*parent)->identity()->started_from;
  }
  return text_of(out);
}

http::Response RunRoutes::values(const Subject& subject, RoundId round) {
  const auto model = find_round_model(subject.store, round);
  if (!model) return http::error_response(404, "not_kept", model.error().what, model.error().hint);
  auto file = subject.store.model_file(model->model);
  if (!file) return http::error_response(404, "not_kept", "the file of this model is not there");
  std::error_code error;
  // A link would lead out of the run's folder.
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(file->path, error)))
    return http::error_response(404, "not_kept", "the file of this model is not there");
  http::Response out;
  out.content_type = "application/octet-stream";
  out.headers.emplace_back("Content-Disposition",
                           "attachment; filename=\"" + file_name(subject.run.name(), round) + "\"");
  out.file = file->path;
  out.hold = std::move(file->hold);
  return out;
}

Result<std::string> RunRoutes::configuration(const Subject& subject) {
  HANSA_TRY(const auto all, subject.store.configurations());
  Json out = Json::array();
  for (std::size_t i = all.size() - std::min(all.size(), configurations_max); i < all.size(); ++i)
    out.push_back({{"after", all[i].after.value}, {"text", all[i].text}});
  return text_of(out);
}

Result<std::string> RunRoutes::privacy(const Subject& subject) {
  if (subject.config == nullptr)
    return fail(ErrorCode::refused, subject.run.name(),
                "has no configuration that this version can read, so that nothing is known about it");
  const FederationConfig& config = *subject.config;
  Json out{{"secure_aggregation", config.secure_aggregation.has_value()}, {"model", nullptr}};
  if (const auto& secure = config.secure_aggregation)
    out["model"] = secure->assumptions.threat_model == secure_aggregation::ThreatModel::active
                       ? "active"
                       : "semi_honest";
  out["sees"] = Json::array();
  for (const Seen& seen : seen_by_aggregator(config))
    out["sees"].push_back({{"what", seen.what}, {"visible", seen.visible}, {"detail", seen.detail}});
  Json thresholds{
      {"clients_min", nullptr}, {"threshold", nullptr}, {"corrupt", nullptr}, {"dropouts", nullptr}};
  if (const auto known = privacy_thresholds(config))
    thresholds = {{"clients_min", known->clients_min},
                  {"threshold", known->threshold},
                  {"corrupt", known->corrupt},
                  {"dropouts", known->dropouts}};
  out["thresholds"] = std::move(thresholds);
  HANSA_TRY(const std::uint64_t recovered, subject.store.recovered_clients());
  out["recovered_total"] = recovered;
  HANSA_TRY(const auto abandoned, subject.store.abandoned_attempts());
  out["refused_sums"] = std::ranges::count(abandoned, AbandonCause::refused_sum, &AbandonedAttempt::cause);
  return text_of(out);
}

Result<std::string> RunRoutes::history_of(const std::string& client, std::size_t most) {
  constexpr std::size_t runs_max = 20;
  HANSA_TRY(const auto runs, library_.all());
  Json out = Json::array();
  for (std::size_t i = 0; i < std::min(runs.size(), runs_max) && out.size() < most; ++i) {
    RunSource& run = *runs[i];
    if (!run.identity()) continue;
    HANSA_TRY(Run * store, run.open());
    HANSA_TRY(const auto rounds, store->rounds_of(client, most - out.size()));
    run.close();
    for (const ClientRound& round : rounds) {
      out.push_back({{"run", run.name()},
                     {"round", round.round.value},
                     {"at", round.started_at},
                     {"outcome", server::name(round.outcome)},
                     {"reason", round.reason},
                     {"seconds", round.seconds},
                     {"examples", nullptr}});
      if (round.outcome == Outcome::counted && round.examples > 0) out.back()["examples"] = round.examples;
    }
  }
  return text_of(out);
}

}  // namespace hansa::server::internal
