// What federation.toml says about devices: their register, and the port on which they join. Of interest to the process and
// the operator's commands, and to nothing that decides about rounds.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/config/variables.h"
#include "common/error.h"
#include "common/time.h"

namespace hansa::config {
class Document;
}

namespace hansa::server {

// Devices that join by a token.
struct EnrolmentConfig {
  std::string bind;
  std::string address;  // at which devices reach it; empty: not known
  std::vector<std::string> client_addresses;  // of the aggregator, for devices that have joined; may be empty
  std::filesystem::path root_key;  // empty: the operator approves devices
  std::uint32_t days = 400;
};

struct DevicesConfig {
  std::filesystem::path device_register;  // file
  Duration key_overlap{};  // of a device that changes its key
  std::filesystem::path statements;  // file with statements about changed keys; need not exist
  std::optional<EnrolmentConfig> enrolment;
};

// Of a federation.toml. Fails (usage) like read_federation_config(), which checks this part too.
[[nodiscard]] Result<DevicesConfig> read_devices_config(const std::filesystem::path& file,
                                                        const config::Variables& variables = {});
[[nodiscard]] Result<DevicesConfig> devices_config_of(const config::Document& document);

}  // namespace hansa::server
