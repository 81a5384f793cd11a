#include "server/config/dashboard_config.h"

#include <algorithm>

#include "common/config/document.h"
#include "server/config/federation_schema.h"
#include "server/http/listen_address.h"

namespace hansa::server {
namespace {

using config::Document;

constexpr std::size_t names_max = 16;

bool has_port(const std::string& endpoint, std::uint16_t port) {
  return port != 0 && endpoint.ends_with(":" + std::to_string(port));
}

Result<void> check_port(const Document& document, const http::ListenAddress& listen) {
  for (const char* key : {"aggregator.bind", "enrolment.bind"})
    if (document.has(key) && has_port(document.text(key), listen.port))
      return fail(ErrorCode::usage, document.location("dashboard.listen"),
                  "has the port of " + std::string(key), "choose another port, or 0 for a free one");
  return {};
}

Result<void> check_names(const Document& document, const std::vector<std::string>& names) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  for (const std::string& name : names)
    if (!std::ranges::all_of(name, is_allowed))
      return fail(ErrorCode::usage, document.location("dashboard.names"),
                  "has \"" + name + "\", which is no host name", "write it without scheme, port and path");
  if (names.size() > names_max)
    return fail(ErrorCode::usage, document.location("dashboard.names"), "has more than 16 names",
                "leave some out");
  return {};
}

}  // namespace

Result<std::optional<DashboardConfig>> dashboard_config_of(const Document& document) {
  if (!document.has_table("dashboard")) return std::nullopt;
  DashboardConfig out;
  HANSA_TRY(const auto listen, http::parse_listen_address(document.text("dashboard.listen"),
                                                          document.location("dashboard.listen")));
  HANSA_TRY_VOID(check_port(document, listen));
  out.listen = listen.text();
  out.is_loopback = listen.is_loopback;
  const std::filesystem::path runs = document.path("aggregator.runs");
  out.token_file = document.has("dashboard.token_file") ? document.path("dashboard.token_file")
                                                        : runs.parent_path() / "dashboard.token";
  for (const auto& [key, other] : {std::pair("dashboard.tls_certificate", "dashboard.tls_key"),
                                   std::pair("dashboard.tls_key", "dashboard.tls_certificate")})
    if (document.has(key) && !document.has(other))
      return fail(ErrorCode::usage, document.location(key), "is set, and " + std::string(other) + " is not",
                  "HTTPS needs both");
  if (document.has("dashboard.tls_key")) {
    out.tls_certificate = document.path("dashboard.tls_certificate");
    out.tls_key = document.path("dashboard.tls_key");
  }
  out.behind_proxy = document.boolean("dashboard.behind_proxy");
  if (!out.is_loopback && out.tls_key.empty() && !out.behind_proxy)
    return fail(ErrorCode::usage, document.location("dashboard.listen"),
                "is \"" + document.text("dashboard.listen") +
                    "\", which others can reach, and the token would pass the network unencrypted",
                "use 127.0.0.1, or set tls_certificate and tls_key, or behind_proxy = true if only a proxy "
                "with TLS reaches it");
  if (document.has("dashboard.names")) out.names = document.texts("dashboard.names");
  HANSA_TRY_VOID(check_names(document, out.names));
  out.streams_max = static_cast<std::uint32_t>(document.integer("dashboard.streams_max"));
  return out;
}

Result<std::optional<DashboardConfig>> read_dashboard_config(const std::filesystem::path& file,
                                                             const config::Variables& variables) {
  HANSA_TRY(const Document document, Document::read(file, federation_schema(), variables));
  return dashboard_config_of(document);
}

}  // namespace hansa::server
