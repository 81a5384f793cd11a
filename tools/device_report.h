// What `hansa devices` prints of the register: a table for terminals of 80 columns, all that is known of one device, JSON.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/error.h"
#include "common/utc.h"
#include "server/register/device_history.h"
#include "server/register/device_register.h"

namespace hansa::tools {

struct DeviceRow {
  server::Device device;
  server::DeviceMeasures measures;
  server::DeviceStanding standing;
  std::vector<server::LostRound> losses = {};  // the newest first
};
// All devices, by name.
[[nodiscard]] Result<std::vector<DeviceRow>> read_devices(server::DeviceRegister& devices,
                                                          server::DeviceHistory& history);

// "admitted", ..., or "left out": admitted, and left out of cohorts for its faults at this time.
[[nodiscard]] std::string state_text(const DeviceRow& row, UtcSeconds now);

// A row for each device, and a line for each that is left out. Columns that do not fit are omitted, the least important
// first; the name, the state, and the rounds counted and lost are always there.
[[nodiscard]] std::string device_table(const std::vector<DeviceRow>& rows, UtcSeconds now,
                                       std::size_t columns);
// A line for each fact, and one for each lost round.
[[nodiscard]] std::string device_text(const DeviceRow& row, UtcSeconds now);
[[nodiscard]] nlohmann::json json_of(const DeviceRow& row, UtcSeconds now);

}  // namespace hansa::tools
