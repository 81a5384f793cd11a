// The join tokens with which devices can still enrol: `hansa invite --list` and `--withdraw`.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/error.h"
#include "server/register/device_register.h"

namespace hansa::tools {

// 16 hex digits, as in the audit log.
[[nodiscard]] std::string text_of(const enrolment::TokenId& id);

// Those that hold at this time and are not used up, in the order in which they were made.
[[nodiscard]] Result<std::vector<server::TokenRecord>> open_tokens(server::DeviceRegister& devices,
                                                                   UtcSeconds now);
[[nodiscard]] std::string token_table(const std::vector<server::TokenRecord>& tokens);
[[nodiscard]] nlohmann::json json_of(const std::vector<server::TokenRecord>& tokens);

// named: the token's identifier, its first digits if no other open token begins with them, or the token itself. Fails
// (usage) if no open token is meant, or several are.
[[nodiscard]] Result<enrolment::TokenId> withdraw_token(server::DeviceRegister& devices,
                                                        std::string_view named, const server::Acting& acting);

}  // namespace hansa::tools
