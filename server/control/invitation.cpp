#include "server/control/invitation.h"

#include <charconv>

#include <fmt/format.h>

#include "common/config/name_check.h"
#include "protocols/enrolment/join_token.h"
#include "protocols/transport/keys.h"
#include "server/config/devices_config.h"

namespace hansa::server {
namespace {

constexpr std::uint32_t uses_max = 10'000;
constexpr std::uint64_t seconds_max = 10ULL * 366 * 86'400;
constexpr std::size_t label_bytes_max = 48;  // a number is added to it

Result<transport::PublicKey> aggregator_key(const FederationConfig& config) {
  std::filesystem::path public_file = config.key;
  public_file.replace_extension(".pub");
  std::error_code error;
  if (std::filesystem::exists(public_file, error)) return transport::read_public_key(public_file);
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(config.key));
  return secret.public_key();
}

enrolment::JoinTerms terms_of(const FederationConfig& config) {
  enrolment::JoinTerms out;
  out.secure = config.secure_aggregation.has_value();
  if (const auto& secure = config.secure_aggregation) {
    out.threat_model = secure->assumptions.threat_model;
    if (secure->honest_min) out.honest_min = static_cast<std::uint16_t>(*secure->honest_min);
  }
  return out;
}

}  // namespace

Result<std::uint64_t> parse_time_span(std::string_view text, std::string_view location) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::uint64_t factor = unit == "s"   ? 1
                               : unit == "m" ? 60
                               : unit == "h" ? 3'600
                               : unit == "d" ? 86'400
                                             : 0;
  if (error != std::errc() || factor == 0 || value == 0 || value > seconds_max / factor)
    return fail(ErrorCode::usage, std::string(location), fmt::format("\"{}\" is not a time", text),
                "write a number and s, m, h or d: 30m, 24h, 7d");
  return value * factor;
}

Result<Invitation> invite(const FederationConfig& config, const InvitationPlan& plan, DeviceRegister& devices,
                          const Acting& acting) {
  HANSA_TRY(const auto devices_config, read_devices_config(config.file, config.variables));
  if (!devices_config.enrolment)
    return fail(ErrorCode::usage, config.file.string(),
                "has no table [enrolment]: no port is open on which devices join",
                "add it, and restart the aggregator: docs/enrolment.md");
  if (plan.uses == 0 || plan.uses > uses_max)
    return fail(ErrorCode::usage, "--uses", "is not from 1 to 10,000");
  if (!plan.label.empty()) {
    HANSA_TRY_VOID(config::check_name(plan.label, "--label \"" + plan.label + "\""));
    if (plan.label.size() > label_bytes_max)
      return fail(ErrorCode::usage, "--label", "is too long", "use at most 48 characters");
  }
  enrolment::JoinToken token;
  token.federation = config.name;
  token.address = plan.address.empty() ? devices_config.enrolment->address : plan.address;
  if (token.address.empty())
    return fail(ErrorCode::usage, config.file.string() + ": enrolment.address",
                "is not set, and enrolment.bind names no host",
                "set it, or name it here: --address tcp://HOST:PORT");
  HANSA_TRY(token.aggregator, aggregator_key(config));
  token.root = *config.root;
  token.terms = terms_of(config);
  HANSA_TRY_VOID(enrolment::fill_random(token));
  HANSA_TRY(std::string text, enrolment::text_of(token));
  TokenRecord record;
  record.id = token.id;
  record.hash = enrolment::digest_of(token.id, token.secret);
  record.label = plan.label;
  record.uses = plan.uses;
  record.made = acting.at;
  record.expires = {acting.at.value + plan.seconds};
  HANSA_TRY_VOID(devices.add_token(record, acting));
  return Invitation{std::move(text), record.id, record.expires};
}

}  // namespace hansa::server
