// System calls on a connection that libzmq owns. Those that take a ConnectionName first compare the socket's cookie,
// because the descriptor may have been closed and used again. Thread-safe.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "protocols/transport/internal/connection_table.h"

namespace hansa::transport {

// The connection that has this descriptor now. Empty: it is no connection to this local port.
[[nodiscard]] std::optional<ConnectionName> name_connection(int descriptor, std::uint16_t local_port);
// The local port of an endpoint such as "tcp://127.0.0.1:7470"; 0: it has none.
[[nodiscard]] std::uint16_t port_of(const std::string& endpoint);
// For the log: the descriptor may have been used again. Empty if the connection has ended already.
[[nodiscard]] std::string peer_address(int descriptor);
// Bytes that were read from the connection since it was accepted; 0 on a kernel that does not count. Empty: it
// has ended.
[[nodiscard]] std::optional<std::uint64_t> bytes_read(const ConnectionName& connection);
// Resets the connection. libzmq then reads an error and closes the descriptor. After shutdown() instead, it would read
// for as long as the peer sends.
void reset(const ConnectionName& connection);

}  // namespace hansa::transport
