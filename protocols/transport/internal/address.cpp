#include "protocols/transport/internal/address.h"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <net/if.h>

#include "protocols/transport/client_channel.h"
#include "protocols/transport/server_channel.h"

namespace hansa::transport {
namespace {

constexpr std::string_view scheme = "tcp://";
constexpr std::size_t host_length_max = 253;
constexpr std::string_view host_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

bool is_port(std::string_view text, unsigned least) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= least && port <= 65535;
}

bool is_numeric(int family, const std::string& host) {
  std::array<std::byte, sizeof(in6_addr)> bytes{};
  return ::inet_pton(family, host.c_str(), bytes.data()) == 1;
}

}  // namespace

Result<std::vector<IpVersion>> check_address(const std::string& address) {
  const auto malformed = [&](const char* what) {
    return fail(ErrorCode::usage, address, what, "an address looks like \"tcp://HOST:PORT\"");
  };
  if (!address.starts_with(scheme)) return malformed("does not start with tcp://");
  const std::size_t colon = address.rfind(':');
  if (colon < scheme.size() || !is_port(std::string_view(address).substr(colon + 1), 1))
    return malformed("has no port from 1 to 65535");
  const std::string host = address.substr(scheme.size(), colon - scheme.size());
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    if (!is_numeric(AF_INET6, host.substr(1, host.size() - 2)))
      return malformed("has no valid IPv6 address in its brackets");
    return std::vector{IpVersion::v6};
  }
  if (host.empty() || host.size() > host_length_max ||
      host.find_first_not_of(host_characters) != std::string::npos)
    return malformed("has no valid host name");
  if (is_numeric(AF_INET, host)) return std::vector{IpVersion::v4};
  return std::vector{IpVersion::v4, IpVersion::v6};
}

Result<void> check_aggregator_address(const std::string& address) {
  HANSA_TRY_VOID(check_address(address));
  return {};
}

Result<void> check_proxy(const std::string& proxy) {
  const std::size_t start = proxy.find("://");
  const bool known =
      start != std::string::npos && (proxy.substr(0, start) == "socks5" || proxy.substr(0, start) == "http");
  if (known && check_address(std::string(scheme) + proxy.substr(start + 3))) return {};
  return fail(ErrorCode::usage, proxy, "is not a proxy",
              "a proxy looks like \"socks5://HOST:PORT\" or \"http://HOST:PORT\"");
}

// Checked here because libzmq reduces a port above 65535 modulo 65536.
Result<void> check_bind_address(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (address.starts_with(scheme) && colon > scheme.size() &&
      is_port(std::string_view(address).substr(colon + 1), 0))
    return {};
  return fail(ErrorCode::usage, address, "is not an address to listen on",
              "for example \"tcp://0.0.0.0:7470\"");
}

// libzmq reports a name that it does not resolve with an error of something else.
Result<void> check_local_host(const std::string& bind) {
  const std::string host = bind.substr(scheme.size(), bind.rfind(':') - scheme.size());
  if (host == "*" || host.front() == '[' || is_numeric(AF_INET, host) || ::if_nametoindex(host.c_str()) != 0)
    return {};
  return fail(
      ErrorCode::network, bind,
      "names \"" + host + "\", which is neither an IP address nor a network interface of this machine",
      "for example \"tcp://0.0.0.0:7470\", or \"tcp://127.0.0.1:7470\" for this machine only");
}

}  // namespace hansa::transport
