// Makes join tokens: `hansa invite`.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/utc.h"
#include "server/config/federation_config.h"
#include "server/register/device_register.h"

namespace hansa::server {

struct InvitationPlan {
  std::string label;  // the device's name, or the start of the devices' names; empty: "device-N"
  std::uint32_t uses = 1;  // 1 to 10,000
  std::uint64_t seconds = 24 * 3'600;  // that the token holds
  std::string address;  // where devices reach the enrolment port; empty: [enrolment] address
};

struct Invitation {
  std::string token;
  enrolment::TokenId id{};  // not secret: names the token in `hansa invite --list` and in the audit log
  UtcSeconds expires;
};
// Stores the hash of the token's secret in the register; the secret is in the returned text alone. Fails (usage) if the
// federation enrols no devices ([enrolment]) or the address is not known.
[[nodiscard]] Result<Invitation> invite(const FederationConfig& config, const InvitationPlan& plan,
                                        DeviceRegister& devices, const Acting& acting);

// "90m", "24h", "7d", "30s": seconds, from one second to ten years. Fails (usage).
[[nodiscard]] Result<std::uint64_t> parse_time_span(std::string_view text, std::string_view location);

}  // namespace hansa::server
