// What federation.toml says about the dashboard. Of interest to the process, and to nothing that decides about rounds.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/config/variables.h"
#include "common/error.h"

namespace hansa::config {
class Document;
}

namespace hansa::server {

struct DashboardConfig {
  std::string listen = "127.0.0.1:7471";
  bool is_loopback = true;  // listen is reachable from this machine only
  std::filesystem::path token_file;
  std::filesystem::path tls_certificate, tls_key;  // both or none
  bool behind_proxy = false;
  std::vector<std::string> names;
  std::uint32_t streams_max = 256;

  // Everybody who reaches a loopback address is on this machine, unless a proxy brings others.
  [[nodiscard]] bool needs_token_for_reading() const { return !is_loopback || behind_proxy; }
};

// Of a federation.toml; empty: it has no [dashboard]. Fails (usage) like read_federation_config(), which checks this part
// too.
[[nodiscard]] Result<std::optional<DashboardConfig>> read_dashboard_config(
    const std::filesystem::path& file, const config::Variables& variables = {});
[[nodiscard]] Result<std::optional<DashboardConfig>> dashboard_config_of(const config::Document& document);

}  // namespace hansa::server
