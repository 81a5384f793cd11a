#include "protocols/transport/internal/connection_socket.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>

#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace hansa::transport {
namespace {

std::optional<std::uint64_t> cookie_of(int descriptor) {
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) return std::nullopt;
  return cookie;
}

bool is_still(const ConnectionName& connection) {
  return cookie_of(connection.descriptor) == connection.cookie;
}

std::uint16_t local_port_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

}  // namespace

std::optional<ConnectionName> name_connection(int descriptor, std::uint16_t local_port) {
  const auto cookie = cookie_of(descriptor);
  if (!cookie || local_port_of(descriptor) != local_port) return std::nullopt;
  return ConnectionName{descriptor, *cookie};
}

std::uint16_t port_of(const std::string& endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  std::uint16_t port = 0;
  if (colon != std::string::npos)
    std::from_chars(endpoint.data() + colon + 1, endpoint.data() + endpoint.size(), port);
  return port;
}

std::string peer_address(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::getpeername(descriptor, generic, &length) != 0) return {};
  std::array<char, NI_MAXHOST> host{};
  if (::getnameinfo(generic, length, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) return {};
  const std::string text = host.data();
  return text.starts_with("::ffff:") ? text.substr(std::strlen("::ffff:")) : text;
}

std::optional<std::uint64_t> bytes_read(const ConnectionName& connection) {
  if (!is_still(connection)) return std::nullopt;
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(connection.descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
  // Linux 4.1 counts the bytes. Older kernels give a shorter structure, and no bound on unfinished messages.
  if (length < offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return 0;
  int unread = 0;
  if (::ioctl(connection.descriptor, FIONREAD, &unread) != 0) return std::nullopt;
  // A FIN counts as one byte, and bytes may be read between the two calls.
  const auto waiting = static_cast<std::uint64_t>(std::max(unread, 0));
  return info.tcpi_bytes_received - std::min<std::uint64_t>(info.tcpi_bytes_received, waiting);
}

void reset(const ConnectionName& connection) {
  if (!is_still(connection)) return;
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  if (::connect(connection.descriptor, &none, sizeof none) != 0) ::shutdown(connection.descriptor, SHUT_RDWR);
}

}  // namespace hansa::transport
