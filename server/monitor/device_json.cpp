#include "server/monitor/device_json.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/utc.h"
#include "protocols/enrolment/device_file.h"

namespace hansa::server {
namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

// Null: not connected, or there is no aggregator.
const LiveConnection* connection_of(const Device& device, const LiveState* live) {
  if (live == nullptr || device.state != DeviceState::admitted) return nullptr;
  const auto& all = live->connected_clients;
  const auto found = std::ranges::lower_bound(all, device.name, {}, &LiveConnection::client);
  return found != all.end() && found->client == device.name ? &*found : nullptr;
}

}  // namespace

Json api_device(const DeviceFacts& facts, UtcSeconds now, const LiveState* live) {
  const Device& device = facts.device;
  const std::uint64_t rests =
      facts.standing.left_out_until.value - std::min(facts.standing.left_out_until.value, now.value);
  const LiveConnection* connection = connection_of(device, live);
  Json out{{"name", device.name},
           {"label", device.label},
           {"state", name(device.state)},
           {"identity", enrolment::text_of(device.identity)},
           {"software", device.activity.software},
           {"last_seen", nullptr},
           {"connected", live == nullptr ? Json(nullptr) : Json(connection != nullptr)},
           {"examples", device.activity.examples},
           {"new_examples", nullptr},
           {"counted", device.activity.counted},
           {"lost", device.activity.lost},
           {"lost_why", device.activity.lost_why},
           {"train_examples_per_s", number_or_null(facts.measures.examples_per_s)},
           {"upload_bytes_per_s", number_or_null(facts.measures.upload_bytes_per_s)},
           {"bytes_up", facts.measures.bytes_up},
           {"bytes_down", facts.measures.bytes_down},
           {"reliability", {{"faults", facts.standing.faults}, {"rests_seconds", rests}}},
           {"certificate_expires", nullptr}};
  if (connection != nullptr && connection->new_examples) out["new_examples"] = *connection->new_examples;
  if (device.activity.last_seen) out["last_seen"] = rfc3339_text(*device.activity.last_seen);
  if (device.certificate && device.certificate->validity.expires != utc_never)
    out["certificate_expires"] = rfc3339_text(device.certificate->validity.expires);
  return out;
}

}  // namespace hansa::server
