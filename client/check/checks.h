// All checks of a device's set-up, in order: `hansa-client check`. The client runs those of the connection itself if it
// cannot connect for a minute.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "client/check/device_checks.h"
#include "client/check/finding.h"
#include "client/check/model_checks.h"
#include "client/config/client_config.h"
#include "common/available_memory.h"
#include "common/data_contract.h"
#include "common/utc.h"
#include "learning/trainer.h"

namespace hansa::client {

struct CheckTools {
  // Opens the data as the client does. Changes nothing on the device.
  std::function<Result<learning::AvailableData>(const ClientConfig&)> open_data;
  // Tries a training step of the archive on that data, as the client would train it.
  std::function<Result<ModelFit>(const ClientConfig&, const std::filesystem::path& archive)> try_model;
  std::function<UtcSeconds()> clock = utc_seconds_now;
  std::function<std::optional<std::uint64_t>()> memory = available_memory;
  config::Variables variables;  // of the configuration
  Duration connect_max = std::chrono::seconds(5);  // TCP connection to one address
};

// Takes as long as the resolver, and at most about half a minute for each address of the aggregator. While a client with the same state runs,
// no session is opened, because the aggregator would take it for a second device.
[[nodiscard]] std::vector<Finding> check_device(const std::filesystem::path& client_toml,
                                                const CheckTools& tools);

// Clock, name, port, proxy and handshake, without a session. For a client that cannot connect; blocks like check_device().
[[nodiscard]] std::vector<Finding> check_connection(const ClientConfig& config,
                                                    const transport::SecretKey& key, UtcSeconds now);

}  // namespace hansa::client
