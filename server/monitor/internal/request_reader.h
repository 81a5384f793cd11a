// Reads the parameters and the body of a request: bounded, and nothing unknown is ignored.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "common/error.h"
#include "server/http/message.h"

namespace hansa::server::internal {

// The answer to a request that failed with this error.
[[nodiscard]] http::Response answer_to(const Error& error);
[[nodiscard]] http::Response not_found(const std::string& what);

// Decimal digits, up to `most`; empty for any other text.
[[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view text, std::uint64_t most);

// Fails (usage) if the query has another parameter.
[[nodiscard]] Result<void> check_parameters(const http::Request& request,
                                            std::initializer_list<std::string_view> known);
struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};
// Empty: there is no such parameter. Fails (usage) unless it is a whole number in the range.
[[nodiscard]] Result<std::optional<std::uint64_t>> number_parameter(const http::Request& request,
                                                                    const std::string& name, Range range);

// An object whose keys are among these, each at most once; its values are checked by the caller. An empty body is an empty
// object. Fails (usage).
[[nodiscard]] Result<nlohmann::json> read_object(const std::string& body,
                                                 std::initializer_list<std::string_view> known);
// A text of at most bytes_max bytes without control characters; empty: there is no such key. Fails (usage).
[[nodiscard]] Result<std::optional<std::string>> text_value(const nlohmann::json& object,
                                                            const std::string& key, std::size_t bytes_max);
// Fails (usage) if there is no such key, or its value is not a whole number in the range.
[[nodiscard]] Result<std::uint64_t> number_value(const nlohmann::json& object, const std::string& key,
                                                 Range range);

}  // namespace hansa::server::internal
