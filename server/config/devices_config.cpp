#include "server/config/devices_config.h"

#include "common/config/document.h"
#include "protocols/transport/client_channel.h"
#include "protocols/transport/server_channel.h"
#include "server/config/federation_schema.h"

namespace hansa::server {
namespace {

using config::Document;

constexpr std::size_t addresses_max = 8;  // enrolment::join_addresses_max

Result<void> check_client_address(const Document& document, std::string_view key,
                                  const std::string& address) {
  if (auto checked = transport::check_aggregator_address(address); !checked)
    return fail(ErrorCode::usage, document.location(key),
                "is \"" + address + "\", which " + checked.error().what,
                "for example \"tcp://aggregator.example:7470\"");
  return {};
}

std::string with_port_of(const std::string& address, const std::string& other) {
  return address.substr(0, address.rfind(':')) + other.substr(other.rfind(':'));
}

Result<std::optional<EnrolmentConfig>> read_enrolment(const Document& document) {
  if (!document.has_table("enrolment")) return std::nullopt;
  if (!document.has("secure_aggregation.root"))
    return fail(ErrorCode::usage, document.location("enrolment.bind"),
                "is set, and secure_aggregation.root is not: devices that join are certified by the root key",
                "add the key that \"hansa keys show --identity\" prints for your root key");
  EnrolmentConfig out;
  out.bind = document.text("enrolment.bind");
  if (auto checked = transport::check_bind_address(out.bind); !checked)
    return fail(ErrorCode::usage, document.location("enrolment.bind"),
                "is \"" + out.bind + "\", which " + checked.error().what, checked.error().hint);
  if (document.has("enrolment.address")) {
    out.address = document.text("enrolment.address");
    HANSA_TRY_VOID(check_client_address(document, "enrolment.address", out.address));
  } else if (transport::check_aggregator_address(out.bind) &&
             out.bind.find("://0.0.0.0:") == std::string::npos &&
             out.bind.find("://[::]:") == std::string::npos) {
    out.address = out.bind;
  }
  if (document.has("enrolment.clients_address"))
    out.client_addresses = document.texts("enrolment.clients_address");
  else if (!out.address.empty())
    out.client_addresses = {with_port_of(out.address, document.text("aggregator.bind"))};
  if (out.client_addresses.size() > addresses_max)
    return fail(ErrorCode::usage, document.location("enrolment.clients_address"), "has more than 8 addresses",
                "name those that devices try first");
  if (document.has("enrolment.clients_address"))
    for (const std::string& address : out.client_addresses)
      HANSA_TRY_VOID(check_client_address(document, "enrolment.clients_address", address));
  if (document.has("enrolment.root_key")) out.root_key = document.path("enrolment.root_key");
  out.days = static_cast<std::uint32_t>(document.integer("enrolment.days"));
  return out;
}

}  // namespace

Result<DevicesConfig> devices_config_of(const Document& document) {
  DevicesConfig out;
  out.device_register = document.path("aggregator.register");
  out.statements = document.path("aggregator.statements");
  constexpr double day_s = 24 * 3'600;
  out.key_overlap = from_seconds(document.number("aggregator.key_overlap_days") * day_s);
  HANSA_TRY(out.enrolment, read_enrolment(document));
  return out;
}

Result<DevicesConfig> read_devices_config(const std::filesystem::path& file,
                                          const config::Variables& variables) {
  HANSA_TRY(const Document document, Document::read(file, federation_schema(), variables));
  return devices_config_of(document);
}

}  // namespace hansa::server
