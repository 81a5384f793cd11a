#include "server/config/federation_config.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "common/config/document.h"
#include "common/config/name_check.h"
#include "common/held_out_metrics.h"
#include "common/hold_out.h"
#include "common/personal_model.h"
#include "learning/data/data_settings.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/messages/type.h"
#include "protocols/secure_aggregation/model_manifest.h"
#include "protocols/transport/server_channel.h"
#include "server/config/client_files.h"
#include "server/config/dashboard_config.h"
#include "server/config/devices_config.h"
#include "server/config/federation_schema.h"
#include "server/config/internal/buffered_check.h"
#include "server/config/internal/strategy_reader.h"

namespace hansa::server {
namespace {

using config::Document;

std::uint32_t whole(const Document& document, std::string_view key) {
  return static_cast<std::uint32_t>(document.integer(key));  // the schema limits it to 32 bits
}

// Checks only the form of the address. Whether it can be bound is known when the channel is opened.
Result<void> check_bind(const Document& document) {
  const std::string& bind = document.text("aggregator.bind");
  if (auto checked = transport::check_bind_address(bind); !checked)
    return fail(ErrorCode::usage, document.location("aggregator.bind"),
                "is \"" + bind + "\", which " + checked.error().what, checked.error().hint);
  return {};
}

Result<std::vector<std::filesystem::path>> find_simulated_clients(const Document& document) {
  const std::string key = "simulation.clients";
  std::vector<std::filesystem::path> patterns;
  if (!document.has(key)) return patterns;
  for (const std::string& written : document.texts(key)) {
    const std::filesystem::path pattern =
        document.file().parent_path() / written;  // itself if it is absolute
    patterns.push_back(pattern.lexically_normal());
  }
  // No match is not an error: on the aggregator's machine there may be no client files.
  return find_client_files(patterns, document.location(key));
}

// Refuses settings with which secure aggregation cannot be secure.
Result<std::optional<SecureAggregationConfig>> read_secure_aggregation(const Document& document,
                                                                       const CohortConfig& cohort) {
  if (!document.boolean("secure_aggregation.enabled")) return std::nullopt;
  SecureAggregationConfig out;
  if (!document.has("secure_aggregation.root"))
    return fail(ErrorCode::usage, document.location("secure_aggregation.enabled"),
                "is true but there is no secure_aggregation.root",
                "add the key that \"hansa keys show --identity\" prints for your root key");
  HANSA_TRY(out.root, enrolment::parse_identity(document.text("secure_aggregation.root"),
                                                document.location("secure_aggregation.root")));
  out.assumptions.threat_model =
      secure_aggregation::threat_model_of(document.text("secure_aggregation.threat_model"));
  out.assumptions.corrupt = document.number("secure_aggregation.corrupt");
  out.assumptions.dropout = document.number("secure_aggregation.dropout");
  out.assumptions.security_bits = whole(document, "secure_aggregation.security_bits");
  out.value_bits = whole(document, "secure_aggregation.value_bits");
  out.rotated = document.boolean("secure_aggregation.rotated");
  out.fraction = document.number("secure_aggregation.fraction");
  out.metrics = document.texts("secure_aggregation.metrics");
  out.epoch = whole(document, "secure_aggregation.epoch");
  out.phase = document.duration_s("secure_aggregation.phase_s");
  if (document.has("secure_aggregation.honest_min"))
    out.honest_min = whole(document, "secure_aggregation.honest_min");
  const auto at_least = [&](const char* key, std::uint32_t value) -> Result<void> {
    if (value < secure_aggregation::clients_min)
      return fail(ErrorCode::usage, document.location(key),
                  "is " + std::to_string(value) +
                      ": with secure aggregation, each of two clients could compute the other's update "
                      "from the sum",
                  "set it to 3 or more");
    const std::uint32_t needed = secure_aggregation::cohort_min(out.assumptions, out.honest_min);
    if (value >= needed) return {};
    const std::uint32_t corrupt = secure_aggregation::corrupt_clients(value, out.assumptions);
    return fail(ErrorCode::usage, document.location(key),
                "is " + std::to_string(value) + ", of which " + std::to_string(corrupt) +
                    " may be corrupt (secure_aggregation.corrupt); clients take part only in sums of " +
                    std::to_string(out.honest_min.value_or(
                        secure_aggregation::honest_min_of(out.assumptions.threat_model))) +
                    " honest clients (secure_aggregation.honest_min)",
                "set it to " + std::to_string(needed) +
                    " or more, or lower honest_min here and in every client.toml");
  };
  HANSA_TRY_VOID(at_least("cohort.clients_min", cohort.clients_min));
  if (cohort.size_max > 0) HANSA_TRY_VOID(at_least("cohort.size_max", cohort.size_max));
  if (auto found = secure_aggregation::choose_parameters(cohort.clients_min, out.assumptions); !found)
    return fail(ErrorCode::usage, document.location("cohort.clients_min"),
                "is " + std::to_string(cohort.clients_min) + ": " + found.error().what, found.error().hint);
  return out;
}

Result<std::optional<DataContract>> read_data_contract(const Document& document) {
  if (!document.has_table("data_contract")) return std::nullopt;
  const auto key = [](std::string_view name) { return "data_contract." + std::string(name); };
  const auto texts = [&](std::string_view name) {
    return document.has(key(name)) ? document.texts(key(name)) : std::vector<std::string>();
  };
  const auto numbers = [&](std::string_view name) {
    return document.has(key(name)) ? document.numbers(key(name)) : std::vector<double>();
  };
  DataContract out;
  out.columns = texts("columns");
  out.units = texts("units");
  out.classes = texts("classes");
  if (document.has(key("label"))) out.label = document.text(key("label"));
  if (document.has(key("target")))
    for (const TargetType target : {TargetType::classes, TargetType::real, TargetType::none})
      if (document.text(key("target")) == name(target)) out.target = target;
  if (document.has(key("dtype"))) out.dtype = element_type_of(document.text(key("dtype")));
  out.inputs = texts("inputs");
  for (const double size : numbers("shape")) {
    if (size != std::floor(size))
      return fail(ErrorCode::usage, document.location(key("shape")), "has a size that is not a whole number",
                  "for example \"shape = [1, 28, 28]\"");
    out.shape.push_back(static_cast<std::int64_t>(size));
  }
  out.minimum = numbers("minimum");
  out.maximum = numbers("maximum");
  // -inf and inf stand for no limit.
  for (std::vector<double>* bounds : {&out.minimum, &out.maximum})
    for (double& bound : *bounds)
      bound = std::clamp(bound, std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max());
  if (auto checked = check(out); !checked) {
    checked.error().location = document.location(checked.error().location);
    return tl::unexpected<Error>(std::move(checked).error());
  }
  return out;
}

Result<CompressionConfig> read_compression(const Document& document) {
  CompressionConfig out;
  const auto spec = [&](const std::string& key) {
    return codecs::parse_spec(document.text(key), document.location(key));
  };
  HANSA_TRY(out.uplink, spec("compression.uplink"));
  HANSA_TRY(out.downlink, spec("compression.downlink"));
  for (std::size_t i = 0; i < document.count("compression.rule"); ++i) {
    const std::string rule = "compression.rule[" + std::to_string(i) + "]";
    HANSA_TRY(const codecs::Spec codec, spec(rule + ".codec"));
    out.rules.push_back({document.text(rule + ".match"), codec});
  }
  out.full_every = whole(document, "compression.full_every");
  out.entropy = document.boolean("compression.entropy");
  return out;
}

DivergenceConfig read_divergence(const Document& document) {
  DivergenceConfig out;
  const std::string& action = document.text("divergence.action");
  out.action = action == "off"    ? DivergenceAction::off
               : action == "stop" ? DivergenceAction::stop
                                  : DivergenceAction::warn;
  out.loss_ratio = document.number("divergence.loss_ratio");
  out.norm_ratio = document.number("divergence.norm_ratio");
  out.window = whole(document, "divergence.window");
  return out;
}

Result<ScheduleConfig> read_schedule(const Document& document) {
  ScheduleConfig out;
  out.every_s = document.integer("schedule.every_s");
  out.new_examples = document.integer("schedule.new_examples");
  out.clients_with_new = whole(document, "schedule.clients_with_new");
  out.combine = document.text("schedule.combine") == "any" ? Combine::any : Combine::all;
  if (document.has("schedule.at"))
    for (const std::string& times : document.texts("schedule.at")) {
      HANSA_TRY(auto parsed, CronTimes::parse(times, document.location("schedule.at")));
      out.at.push_back(std::move(parsed));
    }
  if (document.has("schedule.quiet"))
    for (const std::string& hours : document.texts("schedule.quiet")) {
      HANSA_TRY(auto parsed, QuietHours::parse(hours, document.location("schedule.quiet")));
      out.quiet.push_back(parsed);
    }
  return out;
}

// [evaluation] may have nothing but on_clients. Then its data settings have their defaults.
bool has_evaluation_data(const Document& document) {
  if (!document.has_table("evaluation.on_clients")) return document.has_table("evaluation");
  return std::ranges::any_of(learning::data_settings, [&](const config::Setting& setting) {
    const std::string key = "evaluation." + std::string(setting.key);
    if (setting.presence == config::Presence::optional) return document.has(key);
    return setting.key == "kind" && document.text(key) != "idx";
  });
}

Result<UntilConfig> read_until(const Document& document) {
  UntilConfig out;
  if (document.has("schedule.until.reaches")) out.reaches = document.number("schedule.until.reaches");
  out.without_better = whole(document, "schedule.until.without_better");
  out.seconds = static_cast<std::uint64_t>(std::ceil(document.number("schedule.until.hours") * 3600));
  const bool compares = out.reaches || out.without_better > 0;
  if (compares && !has_evaluation_data(document) && document.boolean("secure_aggregation.enabled"))
    return fail(
        ErrorCode::usage, document.location("schedule.until"),
        "compares rounds by what clients measure, and of a secure sum only the mean is known, which a single "
        "client can move",
        "add [evaluation] with data, or use rounds or hours");
  return out;
}

Result<std::optional<ClientEvaluation>> read_client_evaluation(const Document& document) {
  if (!document.has_table("evaluation.on_clients")) return std::nullopt;
  const ClientEvaluation out{document.number("evaluation.on_clients.fraction"),
                             whole(document, "evaluation.on_clients.every")};
  if (!is_hold_out_fraction(out.fraction))
    return fail(ErrorCode::usage, document.location("evaluation.on_clients.fraction"),
                "is no multiple of 0.05", "for example 0.2");
  if (!has_evaluation_data(document) && whole(document, "evaluation.every") != 1)
    return fail(ErrorCode::usage, document.location("evaluation.every"),
                "is for the aggregator's own data, and there is none",
                "write on_clients = { fraction = 0.2, every = 5 }");
  return out;
}

Result<std::optional<StatisticsConfig>> read_statistics(const Document& document,
                                                        const std::optional<DataContract>& contract) {
  if (!document.has_table("statistics")) return std::nullopt;
  const StatisticsConfig out{whole(document, "statistics.columns"), whole(document, "statistics.version")};
  if (contract && !contract->columns.empty() && contract->columns.size() != out.columns)
    return fail(ErrorCode::usage, document.location("statistics.columns"),
                "is " + std::to_string(out.columns) + ", and [data_contract] names " +
                    std::to_string(contract->columns.size()) + " columns",
                "set it to " + std::to_string(contract->columns.size()));
  return out;
}

// The aggregator's part of a method computes with the sums of the method's own metrics, whatever the operator lists.
void add_metrics_of_method(FederationConfig& config) {
  if (!config.secure_aggregation) return;
  std::vector<std::string>& summed = config.secure_aggregation->metrics;
  const std::vector<std::string> common = MethodDescription{}.metrics;
  for (const std::string& name : find_method(built_in_methods(), config.method.name)->metrics)
    if (std::ranges::find(common, name) == common.end() && std::ranges::find(summed, name) == summed.end())
      summed.push_back(name);
}

// FedDyn adds up the deltas of all rounds, with the errors of their codec.
void note_coarse_codec(FederationConfig& config) {
  if (config.method.name != "feddyn" || config.secure_aggregation) return;
  using enum codecs::Kind;
  const codecs::Spec& uplink = config.compression.uplink;
  const bool is_fine = uplink.kind == f32 || uplink.kind == f16 || uplink.kind == bf16 ||
                       ((uplink.kind == quantised || uplink.kind == rotated) && uplink.bits >= 4);
  if (is_fine) return;
  config.notes.push_back(config.file.string() +
                         ": strategy.method = \"feddyn\" adds up the updates of all rounds, and " +
                         "compression.uplink = \"" + codecs::text_of(uplink) +
                         "\" leaves large errors in them; \"q4-rotated\" or more bits is better");
}

// The setup of a secure sum names its own metrics and those of the evaluation on the clients.
Result<void> check_summed_metrics(const Document& document, const FederationConfig& config) {
  if (!config.secure_aggregation) return {};
  for (const std::string& name : config.secure_aggregation->metrics)
    if (is_of_held_out(name))
      return fail(ErrorCode::usage, document.location("secure_aggregation.metrics"),
                  "has \"" + name + "\", which on_clients adds by itself", "leave it out");
  if (!config.client_evaluation) return {};
  const PersonalModel personal = personal_model_of(config.method);
  // The model's manifest, which is read later, may name this many.
  std::vector<std::string> own;
  for (std::size_t i = 0; i < secure_aggregation::model_metrics_max; ++i) own.push_back(std::to_string(i));
  const std::size_t most = messages::sum_metrics_max - held_out_sum_names(personal, own).size();
  if (config.secure_aggregation->metrics.size() <= most) return {};
  return fail(ErrorCode::usage, document.location("secure_aggregation.metrics"),
              "has " + std::to_string(config.secure_aggregation->metrics.size()) +
                  " names; together with [evaluation] on_clients at most " + std::to_string(most) +
                  " can be summed",
              "leave some out");
}

Result<Retention> read_retention(const Document& document) {
  HANSA_TRY(Retention out, parse_retention(document.text("store.keep"), document.location("store.keep")));
  if (out.keep != Retention::Keep::best) return out;
  out.metric = document.text("store.metric");
  if (!has_evaluation_data(document))
    return fail(ErrorCode::usage, document.location("store.keep"), "compares evaluations, and there are none",
                "add [evaluation] with data, or set keep = \"last:10\"");
  return out;
}

}  // namespace

Result<config::Variables> read_federation_variables(const char* const* environment) {
  return config::Variables::read(environment, {&federation_schema()});
}

Result<FederationConfig> read_federation_config(const std::filesystem::path& file,
                                                const config::Variables& variables) {
  HANSA_TRY(const Document document, Document::read(file, federation_schema(), variables));
  FederationConfig out;
  out.file = file;
  out.variables = variables;
  out.name = document.text("federation.name");
  HANSA_TRY_VOID(config::check_name(out.name, document.location("federation.name")));
  out.seed = document.integer("federation.seed");
  out.rounds = whole(document, "federation.rounds");
  out.after_last_round =
      document.text("federation.after_last_round") == "stay" ? AfterLastRound::stay : AfterLastRound::stop;

  HANSA_TRY_VOID(check_bind(document));
  out.bind = document.text("aggregator.bind");
  out.key = document.path("aggregator.key");
  out.admitted = document.path("aggregator.admitted");
  out.runs = document.path("aggregator.runs");
  HANSA_TRY_VOID(devices_config_of(document));
  HANSA_TRY_VOID(dashboard_config_of(document));
  out.model = document.path("model.archive");
  HANSA_TRY(out.data_contract, read_data_contract(document));
  HANSA_TRY(out.statistics, read_statistics(document, out.data_contract));

  if (document.has("model.personal")) out.personal = document.texts("model.personal");

  out.cohort.mode =
      document.text("cohort.mode") == "buffered" ? CohortMode::buffered : CohortMode::synchronous;
  out.cohort.buffered.updates = whole(document, "cohort.buffered.updates");
  out.cohort.buffered.staleness_max = whole(document, "cohort.buffered.staleness_max");
  out.cohort.buffered.concurrency = whole(document, "cohort.buffered.concurrency");
  out.cohort.buffered.weights = document.text("cohort.buffered.weights") == "examples"
                                    ? BufferedConfig::Weights::examples
                                    : BufferedConfig::Weights::updates;
  out.cohort.clients_min = whole(document, "cohort.clients_min");
  out.cohort.fraction = document.number("cohort.fraction");
  out.cohort.size_max = whole(document, "cohort.size_max");
  out.cohort.over_select = document.boolean("cohort.over_select");
  out.cohort.quorum = document.number("cohort.quorum");
  out.cohort.clients_expected = whole(document, "cohort.clients_expected");
  out.cohort.gather = document.duration_s("cohort.gather_s");
  out.cohort.wait_max = document.duration_s("cohort.wait_s");
  out.cohort.deadline = document.duration_s("cohort.deadline_s");
  out.cohort.attempts_max = whole(document, "cohort.attempts_max");

  HANSA_TRY(out.schedule, read_schedule(document));
  HANSA_TRY(out.until, read_until(document));

  out.limits.examples_max = document.integer("limits.examples_max");
  out.limits.magnitude_max = document.number("limits.magnitude_max");
  out.limits.norm_ratio_max = document.number("limits.norm_ratio_max");
  out.limits.uploads_max = whole(document, "limits.uploads_max");
  out.limits.connections_max = whole(document, "limits.connections_max");
  out.limits.spool_memory_mib = document.integer("limits.spool_memory_mib");
  out.limits.kept_updates_disk_mib = document.integer("limits.kept_updates_disk_mib");

  HANSA_TRY(out.method, internal::read_method(document, out.personal));
  // A method may add to them.
  out.personal = training_config({}, out.method).personal;
  if (out.personal.size() > personal_max)
    return fail(ErrorCode::usage, document.location("model.personal"),
                "has more than " + std::to_string(personal_max) + " patterns", "use *");
  for (const std::string& pattern : out.personal)
    if (pattern.size() > personal_bytes_max)
      return fail(
          ErrorCode::usage, document.location("model.personal"),
          "has a pattern of more than " + std::to_string(personal_bytes_max) + " bytes: \"" + pattern + "\"",
          "shorten it with *");
  HANSA_TRY(out.rate_schedule, internal::read_rate_schedule(document, out.rounds));
  out.selection = internal::read_selection(document);
  out.aggregation = internal::read_aggregation(document);
  out.optimizer = internal::read_optimizer(document);
  out.notes = internal::unused_strategies(document);

  HANSA_TRY(out.retention, read_retention(document));
  out.best_metric = document.text("store.metric");
  out.divergence = read_divergence(document);
  HANSA_TRY(out.compression, read_compression(document));
  HANSA_TRY(out.secure_aggregation, read_secure_aggregation(document, out.cohort));
  add_metrics_of_method(out);
  note_coarse_codec(out);
  if (document.has("secure_aggregation.root")) {
    HANSA_TRY(out.root, enrolment::parse_identity(document.text("secure_aggregation.root"),
                                                  document.location("secure_aggregation.root")));
  }

  if (has_evaluation_data(document)) {
    HANSA_TRY(learning::DataConfig data, learning::read_data_config(document, "evaluation"));
    if (data.scale == learning::Scaling::federation && !out.statistics)
      return fail(ErrorCode::usage, document.location("evaluation.scale"),
                  "is \"federation\", and the federation has no statistics",
                  "add [statistics] with the number of columns, or set another scale");
    out.evaluation = std::move(data);
  }
  out.evaluation_every = whole(document, "evaluation.every");
  out.evaluation_threads = static_cast<int>(document.integer("evaluation.threads"));
  HANSA_TRY(out.client_evaluation, read_client_evaluation(document));
  HANSA_TRY_VOID(check_summed_metrics(document, out));
  HANSA_TRY_VOID(internal::check_strategy(document, out));
  HANSA_TRY_VOID(internal::check_buffered(document, out));
  std::ranges::copy(internal::unused_cohort_settings(document, out), std::back_inserter(out.notes));
  HANSA_TRY(out.simulated_clients, find_simulated_clients(document));
  out.simulated_speeds = {document.number("simulation.training_s"),
                          document.number("simulation.speed_spread")};
  return out;
}

}  // namespace hansa::server
