// `Device` of the API from what the register knows. Pure.
#pragma once
#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "server/monitor/live_state.h"
#include "server/register/device_history.h"
#include "server/register/devices.h"

namespace hansa::server {

struct DeviceFacts {
  const Device& device;
  DeviceMeasures measures = {};
  DeviceStanding standing = {};
};
// now: the rest of a device's standing begins here. live: null if there is no aggregator.
[[nodiscard]] nlohmann::ordered_json api_device(const DeviceFacts& facts, UtcSeconds now,
                                                const LiveState* live);

}  // namespace hansa::server
