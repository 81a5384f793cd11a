// The target of a request, decoded. Pure.
#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace hansa::http::internal {

struct Target {
  std::string path;  // Request::path
  std::map<std::string, std::string> query;
};

inline constexpr std::size_t query_parameters_max = 32;

// Empty: the target is refused. It must begin with '/'. An encoded '/', '\' or control character, a segment that is
// empty, "." or "..", an incomplete escape and bytes that are no UTF-8 are refused, and not corrected: no page of ours
// needs them.
[[nodiscard]] std::optional<Target> parse_target(std::string_view raw);

}  // namespace hansa::http::internal
