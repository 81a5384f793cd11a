#include "client/check/network_checks.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>

#include "common/descriptor.h"

namespace hansa::client {
namespace {

const char* what_listens(Check check) { return check == Check::proxy ? "the proxy" : "hansa-aggregator"; }

int milliseconds_left(Instant until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

// 0 if the connection was accepted, otherwise an errno.
int try_connect(const SocketAddress& address, Instant until) {
  const Descriptor socket(
      ::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket) return errno;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd writable{socket.get(), POLLOUT, 0};
  for (;;) {
    const int ready = ::poll(&writable, 1, milliseconds_left(until));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return errno;
    if (ready == 0) return ETIMEDOUT;
    break;
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

}  // namespace

Endpoint endpoint_of(const std::string& address) {
  const std::size_t start = address.find("://");
  const std::string rest = start == std::string::npos ? address : address.substr(start + 3);
  const std::size_t colon = rest.rfind(':');
  Endpoint out{rest.substr(0, colon), colon == std::string::npos ? "" : rest.substr(colon + 1)};
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
    out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

std::string text_of(const SocketAddress& address) {
  std::array<char, NI_MAXHOST> host{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address.bytes), address.size, host.data(), host.size(),
                    nullptr, 0, NI_NUMERICHOST) != 0)
    return "?";
  return host.data();
}

Finding name_finding(const Endpoint& endpoint, int error) {
  switch (error) {
    case EAI_AGAIN:
      return failed(Check::name, ErrorCode::network,
                    fmt::format("{}: no name server answers this device", endpoint.host),
                    "check the network and /etc/resolv.conf; an IP address as aggregator.address needs no "
                    "name server");
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
      return failed(Check::name, ErrorCode::network,
                    fmt::format("{}: this host name has no address", endpoint.host),
                    "check the spelling of aggregator.address, or use an IP address");
    default:
      return failed(Check::name, ErrorCode::network,
                    fmt::format("{}: cannot be resolved ({})", endpoint.host, ::gai_strerror(error)),
                    "check this device's name server, or use an IP address as aggregator.address");
  }
}

Resolved resolve(const Endpoint& endpoint) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const int error = ::getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &wanted, &first);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, &::freeaddrinfo);
  if (error != 0) return {name_finding(endpoint, error)};
  std::vector<SocketAddress> addresses;
  std::string texts;
  for (const addrinfo* at = first; at != nullptr; at = at->ai_next) {
    SocketAddress address;
    if (at->ai_addrlen > sizeof address.bytes) continue;
    std::memcpy(&address.bytes, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
    addresses.push_back(address);
    texts += (texts.empty() ? "" : ", ") + text_of(address);
  }
  if (addresses.empty()) return {name_finding(endpoint, EAI_NONAME)};
  const bool numeric = texts == endpoint.host;
  return {passed(Check::name, numeric ? fmt::format("{} is an IP address", endpoint.host)
                                      : fmt::format("{} is {}", endpoint.host, texts)),
          std::move(addresses)};
}

Finding connect_finding(Check check, const std::string& where, int error) {
  const char* const listener = what_listens(check);
  switch (error) {
    case 0: return passed(check, fmt::format("{} accepts connections", where));
    case ECONNREFUSED:
      return failed(check, ErrorCode::network, fmt::format("{}: nothing listens on this port", where),
                    fmt::format("check the port, and that {} runs there", listener));
    case ETIMEDOUT:
      return failed(
          check, ErrorCode::network, fmt::format("{}: no answer", where),
          fmt::format("a firewall drops the packets, or the machine is off: let this device open TCP "
                      "connections to {}'s port",
                      listener));
    case ENETUNREACH:
      return failed(check, ErrorCode::network, fmt::format("{}: this device has no network", where),
                    "check the cable or the radio, the device's address and its default route");
    case EHOSTUNREACH:
      return failed(check, ErrorCode::network, fmt::format("{}: no route to this machine", where),
                    "a router or a firewall in between refuses the connection, or the machine is off");
    case EACCES:
    case EPERM:
      return failed(check, ErrorCode::network,
                    fmt::format("{}: this device's own firewall forbids the connection", where),
                    "allow outgoing TCP connections to this address");
    default:
      return failed(
          check, ErrorCode::network,
          fmt::format("{}: the connection failed ({})", where, std::strerror(error)),
          fmt::format("check the address, that {} runs there, and the firewalls in between", listener));
  }
}

Finding reach(Check check, const Endpoint& endpoint, const std::vector<SocketAddress>& addresses,
              Duration at_most) {
  int error = EADDRNOTAVAIL;
  std::string where;
  for (const SocketAddress& address : addresses) {
    const int result = try_connect(address, steady_now() + at_most);
    // The address of another IP version often has no route at all: the first failure says more.
    if (where.empty() || result == 0 || error == ENETUNREACH || error == EAFNOSUPPORT) {
      error = result;
      where = fmt::format("{} port {}", text_of(address), endpoint.port);
    }
    if (result == 0) break;
  }
  return connect_finding(check, where, error);
}

}  // namespace hansa::client
