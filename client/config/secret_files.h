// The files of a client that its data and its models must not reach.
#pragma once
#include <filesystem>
#include <vector>

#include "client/config/client_config.h"

namespace hansa::client {

// The device's key, the state folder, and what proves the device to a broker.
[[nodiscard]] std::vector<std::filesystem::path> secret_files(const ClientConfig& config);

}  // namespace hansa::client
