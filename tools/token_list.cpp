#include "tools/token_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/text.h"
#include "protocols/enrolment/join_token.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using server::TokenRecord;

constexpr std::size_t digits_min = 4;  // of an identifier that is not complete

// The first digits of an identifier. The token itself has all of them.
Result<std::string> digits_of(std::string_view named) {
  const std::string text(trimmed(named));
  constexpr const char* hint = "\"hansa invite --list\" lists the open tokens";
  if (text.size() > 2 * sizeof(enrolment::TokenId)) {
    HANSA_TRY(const auto token, enrolment::parse_join_token(text));
    return text_of(token.id);
  }
  constexpr std::string_view hex = "0123456789abcdef";
  if (text.size() < digits_min || text.find_first_not_of(hex) != std::string::npos)
    return fail(ErrorCode::usage, "--withdraw", "\"" + printable(text) + "\" is no identifier of a token",
                hint);
  return text;
}

}  // namespace

std::string text_of(const enrolment::TokenId& id) {
  std::string out;
  for (const std::uint8_t byte : id) out += fmt::format("{:02x}", byte);
  return out;
}

Result<std::vector<TokenRecord>> open_tokens(server::DeviceRegister& devices, UtcSeconds now) {
  HANSA_TRY(auto tokens, devices.tokens());
  std::erase_if(tokens,
                [now](const TokenRecord& token) { return token.expires <= now || token.used >= token.uses; });
  return tokens;
}

std::string token_table(const std::vector<TokenRecord>& tokens) {
  TextTable table({{"token", Align::left},
                   {"label", Align::left},
                   {"uses left"},
                   {"made", Align::left},
                   {"expires", Align::left}});
  for (const TokenRecord& token : tokens)
    table.add_row({text_of(token.id), token.label.empty() ? "-" : token.label,
                   fmt::format("{} of {}", token.uses - token.used, token.uses), date_text(token.made),
                   rfc3339_text(token.expires)});
  return table.text();
}

nlohmann::json json_of(const std::vector<TokenRecord>& tokens) {
  nlohmann::json out = nlohmann::json::array();
  for (const TokenRecord& token : tokens)
    out.push_back({{"token", text_of(token.id)},
                   {"label", token.label},
                   {"uses", token.uses},
                   {"uses_left", token.uses - token.used},
                   {"made", rfc3339_text(token.made)},
                   {"expires", rfc3339_text(token.expires)}});
  return out;
}

Result<enrolment::TokenId> withdraw_token(server::DeviceRegister& devices, std::string_view named,
                                          const server::Acting& acting) {
  HANSA_TRY(const std::string digits, digits_of(named));
  HANSA_TRY(auto tokens, open_tokens(devices, acting.at));
  std::erase_if(tokens, [&](const TokenRecord& token) { return !text_of(token.id).starts_with(digits); });
  constexpr const char* hint = "\"hansa invite --list\" lists the open tokens";
  if (tokens.size() > 1)
    return fail(ErrorCode::usage, "--withdraw", "several open tokens begin with " + digits, hint);
  if (!tokens.empty()) {
    HANSA_TRY(const bool withdrawn, devices.withdraw_token(tokens.front().id, acting));
    // Otherwise a device has used it in the meantime.
    if (withdrawn) return tokens.front().id;
  }
  return fail(ErrorCode::usage, "--withdraw",
              "no open token has the identifier " + digits + ": it may have been used, or have expired",
              hint);
}

}  // namespace hansa::tools
