// The header of a response, as it is sent. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/utc.h"

namespace hansa::http::internal {

struct ResponseHead {
  unsigned status = 200;
  std::string content_type;  // empty: there is no body
  std::optional<std::uint64_t> content_length;  // empty: the body ends with the connection
  std::string cache_control = "no-store";
  bool keep_alive = false;
  std::vector<std::pair<std::string, std::string>> headers = {};  // replace those of the same name
};

// With the security headers that every response has. Empty: a name or value has characters that are not allowed there.
[[nodiscard]] std::optional<std::string> header_text(const ResponseHead& head, UtcSeconds now);

}  // namespace hansa::http::internal
