#include "server/http/listen_address.h"

#include <charconv>
#include <optional>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace hansa::http {
namespace {

std::optional<in_addr> as_v4(const std::string& text) {
  in_addr out{};
  if (::inet_pton(AF_INET, text.c_str(), &out) != 1) return std::nullopt;
  return out;
}

std::optional<in6_addr> as_v6(const std::string& text) {
  in6_addr out{};
  if (::inet_pton(AF_INET6, text.c_str(), &out) != 1) return std::nullopt;
  return out;
}

}  // namespace

bool is_ip_address(std::string_view text) {
  const std::string copy(text);
  return as_v4(copy) || as_v6(copy);
}

bool is_loopback_address(std::string_view text) {
  const std::string copy(text);
  if (const auto v4 = as_v4(copy)) return (ntohl(v4->s_addr) >> 24) == 127;
  const auto v6 = as_v6(copy);
  if (!v6) return false;
  if (IN6_IS_ADDR_V4MAPPED(&*v6)) return v6->s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&*v6);
}

std::string ListenAddress::text() const {
  const bool is_v6 = address.find(':') != std::string::npos;
  return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Result<ListenAddress> parse_listen_address(std::string_view text, std::string_view location) {
  const auto wrong = [&] {
    return fail(ErrorCode::usage, std::string(location),
                "is \"" + std::string(text) + "\", which is no ADDRESS:PORT with an IP address",
                "for example \"127.0.0.1:7471\" or \"[::1]:7471\"");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view address = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool in_brackets = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (in_brackets) address = address.substr(1, address.size() - 2);
  ListenAddress out{std::string(address), 0, is_loopback_address(address)};
  if (in_brackets ? !as_v6(out.address) : !as_v4(out.address)) return wrong();
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size()) return wrong();
  return out;
}

}  // namespace hansa::http
