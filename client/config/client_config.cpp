#include "client/config/client_config.h"

#include "client/config/client_schema.h"
#include "common/config/document.h"
#include "common/config/name_check.h"
#include "learning/data/data_settings.h"
#include "learning/data/follow/follow_settings.h"
#include "protocols/transport/client_channel.h"
#include "protocols/enrolment/device_file.h"

namespace hansa::client {
namespace {

using config::Document;

Result<transport::PublicKey> read_aggregator_key(const Document& document) {
  const bool inline_key = document.has("aggregator.public_key");
  const bool key_file = document.has("aggregator.public_key_file");
  if (inline_key && key_file)
    return fail(ErrorCode::usage, document.location("aggregator.public_key_file"),
                "is set together with aggregator.public_key", "keep one of the two");
  if (inline_key)
    return transport::parse_public_key(document.text("aggregator.public_key"),
                                       document.location("aggregator.public_key"));
  if (key_file) {
    const auto path = document.path("aggregator.public_key_file");
    auto key = transport::read_public_key(path);
    if (!key)
      return fail(key.error().code, document.location("aggregator.public_key_file"), key.error().text(),
                  key.error().hint.empty() ? "ask the operator for the aggregator's public key" : "");
    return key;
  }
  return fail(ErrorCode::usage, document.file().string() + ": aggregator.public_key", "is missing",
              "add the aggregator's key, which \"hansa keys show\" prints, or public_key_file");
}

Result<std::optional<SecureAggregationConfig>> read_secure_aggregation(const Document& document) {
  const bool required =
      document.has("secure_aggregation.required") && document.boolean("secure_aggregation.required");
  if (!document.has("secure_aggregation.root")) {
    if (!required) return std::nullopt;
    return fail(ErrorCode::usage, document.location("secure_aggregation.required"),
                "is true, but secure_aggregation.root is not set",
                "ask the operator for the root key's identity");
  }
  SecureAggregationConfig out;
  HANSA_TRY(out.root, enrolment::parse_identity(document.text("secure_aggregation.root"),
                                                document.location("secure_aggregation.root")));
  out.required = required || !document.has("secure_aggregation.required");
  out.policy.clients_min = static_cast<std::uint32_t>(document.integer("secure_aggregation.clients_min"));
  if (document.has("secure_aggregation.honest_min"))
    out.policy.honest_min = static_cast<std::uint32_t>(document.integer("secure_aggregation.honest_min"));
  out.policy.threat_model =
      secure_aggregation::threat_model_of(document.text("secure_aggregation.threat_model"));
  out.policy.corrupt_min = document.number("secure_aggregation.corrupt_min");
  return out;
}

Result<std::optional<Digest>> read_pin(const Document& document, std::string_view key) {
  if (!document.has(key)) return std::nullopt;
  auto digest = parse_digest(document.text(key));
  if (!digest)
    return fail(ErrorCode::usage, document.location(key), digest.error().what,
                "\"hansa model inspect ARCHIVE\" prints it");
  return *digest;
}

// Whether any archive is approved is checked when the client starts: other commands read this file, too.
Result<ModelConfig> read_model(const Document& document,
                               const std::optional<SecureAggregationConfig>& secure) {
  ModelConfig out;
  if (secure) out.root = secure->root;
  if (document.has("model.root")) {
    HANSA_TRY(out.root,
              enrolment::parse_identity(document.text("model.root"), document.location("model.root")));
  }
  HANSA_TRY(out.archive, read_pin(document, "model.archive"));
  HANSA_TRY(out.layout, read_pin(document, "model.layout"));
  if (out.layout && !out.archive)
    return fail(ErrorCode::usage, document.location("model.layout"), "is set without model.archive",
                "set both, or neither: a signature includes the layout");
  out.train_unapproved = document.text("model.unapproved") == "train";
  if (out.train_unapproved && (out.root || out.archive))
    return fail(ErrorCode::usage, document.location("model.unapproved"),
                "is \"train\", but there is a root key or a pinned archive", "remove one of the two");
  return out;
}

Result<std::string> read_proxy(const Document& document) {
  if (!document.has("aggregator.proxy")) return std::string();
  std::string proxy = document.text("aggregator.proxy");
  if (auto checked = transport::check_proxy(proxy); !checked)
    return fail(ErrorCode::usage, document.location("aggregator.proxy"),
                "is \"" + proxy + "\", which is not a proxy", checked.error().hint);
  return proxy;
}

Result<std::string> read_enrolment_address(const Document& document) {
  if (!document.has("aggregator.enrolment")) return std::string();
  std::string address = document.text("aggregator.enrolment");
  if (auto checked = transport::check_aggregator_address(address); !checked)
    return fail(ErrorCode::usage, document.location("aggregator.enrolment"),
                "is \"" + address + "\", which " + checked.error().what,
                "for example \"tcp://aggregator.example:7472\"");
  return address;
}

Result<void> check_addresses(const Document& document) {
  for (const std::string& address : document.texts("aggregator.address")) {
    if (auto checked = transport::check_aggregator_address(address); !checked)
      return fail(ErrorCode::usage, document.location("aggregator.address"),
                  "is \"" + address + "\", which " + checked.error().what,
                  "for example \"tcp://aggregator.example:7470\"");
  }
  return {};
}

}  // namespace

Result<ClientConfig> read_client_config(const std::filesystem::path& file,
                                        const config::Variables& variables) {
  HANSA_TRY(const Document document,
            Document::read(file, client_schema(), variables, config::MissingFile::is_empty));
  ClientConfig out;
  out.file = file;
  out.variables = variables;
  out.name = document.text("client.name");
  HANSA_TRY_VOID(config::check_name(out.name, document.location("client.name")));
  out.federation = document.text("client.federation");
  HANSA_TRY_VOID(config::check_name(out.federation, document.location("client.federation")));
  out.key = document.path("client.key");
  out.state = document.path("client.state");
  out.after_federation =
      document.text("client.after_federation") == "stay" ? AfterFederation::stay : AfterFederation::stop;

  out.report_details = document.boolean("client.report_details");

  HANSA_TRY_VOID(check_addresses(document));
  HANSA_TRY(out.proxy, read_proxy(document));
  out.addresses = document.texts("aggregator.address");
  HANSA_TRY(out.enrolment, read_enrolment_address(document));
  HANSA_TRY(out.aggregator_key, read_aggregator_key(document));
  out.reconnect_min = document.duration_s("aggregator.reconnect_min_s");
  out.reconnect_max = document.duration_s("aggregator.reconnect_max_s");
  if (out.reconnect_max < out.reconnect_min)
    return fail(ErrorCode::usage, document.location("aggregator.reconnect_max_s"),
                "is less than reconnect_min_s", "raise it, or lower reconnect_min_s");

  HANSA_TRY(out.follow, learning::read_follow_config(document, "data"));
  const bool arrives = out.follow && out.follow->from != learning::FollowFrom::file;
  HANSA_TRY(out.data,
            learning::read_data_config(document, "data",
                                       arrives ? learning::DataFile::arrives : learning::DataFile::named));

  HANSA_TRY(out.secure_aggregation, read_secure_aggregation(document));

  HANSA_TRY(out.model, read_model(document, out.secure_aggregation));

  const bool has_folder = document.has("serving.folder");
  out.serving.folder = has_folder ? document.path("serving.folder") : out.state / "serving";
  const std::string write =
      document.has("serving.write") ? document.text("serving.write") : (has_folder ? "each_round" : "end");
  out.serving.write = write == "each_round" ? WriteModels::each_round
                      : write == "end"      ? WriteModels::at_end
                                            : WriteModels::never;

  out.resources.threads = static_cast<int>(document.integer("resources.threads"));
  out.resources.nice = static_cast<int>(document.integer("resources.nice"));
  out.resources.memory_mib_max = document.integer("resources.memory_mib_max");
  out.resources.trainer_memory_mib_max = document.integer("resources.trainer_memory_mib_max");
  out.resources.trainer_cpu_s_max = document.integer("resources.trainer_cpu_s_max");
  out.resources.trainer_stall = document.duration_s("resources.trainer_stall_s");
  out.resources.trainer_idle = document.duration_s("resources.trainer_idle_s");
  return out;
}

}  // namespace hansa::client
