// Where the dashboard's server listens: ADDRESS:PORT, with an IPv4 or IPv6 address.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa::http {

struct ListenAddress {
  std::string address;  // without brackets
  std::uint16_t port = 0;
  bool is_loopback = false;  // 127.0.0.0/8 or ::1
  [[nodiscard]] std::string text() const;  // "127.0.0.1:7471", "[::1]:7471"
};

// Host names are refused, because a name may mean several addresses, or another one tomorrow. Fails with `usage`.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text, std::string_view location);
// Whether the text, without brackets, is an IPv4 or IPv6 address.
[[nodiscard]] bool is_ip_address(std::string_view text);
[[nodiscard]] bool is_loopback_address(std::string_view text);

}  // namespace hansa::http
