// Whether the aggregator's port can be reached: resolves its host name and opens a TCP connection, without ZeroMQ, whose
// events do not say why a connection fails.
#pragma once
#include <string>
#include <vector>

#include <netdb.h>
#include <sys/socket.h>

#include "client/check/finding.h"
#include "common/time.h"

namespace hansa::client {

struct Endpoint {
  std::string host;  // without brackets
  std::string port;
};
// Of "tcp://HOST:PORT", "socks5://HOST:PORT" or the like, which was checked before.
[[nodiscard]] Endpoint endpoint_of(const std::string& address);

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};
[[nodiscard]] std::string text_of(const SocketAddress& address);  // "192.0.2.7", "2001:db8::1"

struct Resolved {
  Finding finding;
  std::vector<SocketAddress> addresses = {};  // empty if the check failed
};
// Blocks for as long as the system's resolver does. A numeric address needs none. error: a code of getaddrinfo().
[[nodiscard]] Resolved resolve(const Endpoint& endpoint);
[[nodiscard]] Finding name_finding(const Endpoint& endpoint, int error);

// Tries the addresses in turn until one accepts a connection. `check` is tcp, or proxy for the proxy's own port.
[[nodiscard]] Finding reach(Check check, const Endpoint& endpoint,
                            const std::vector<SocketAddress>& addresses, Duration at_most);
// What an errno of connect() means for the operator; ETIMEDOUT: nobody answered in time.
[[nodiscard]] Finding connect_finding(Check check, const std::string& where, int error);

}  // namespace hansa::client
