// The open connections of a server: which of them to close so that the limits hold. No I/O, clock or thread.
//
// libzmq names a connection by its descriptor, both in the events of the socket's monitor and in each message
// (ZMQ_SRCFD). A descriptor is used again after its connection was closed, so an entry also has the kernel's cookie of
// the socket, which is never used again.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/time.h"
#include "protocols/transport/connection_limits.h"

namespace hansa::transport {

struct ConnectionName {
  int descriptor = -1;
  std::uint64_t cookie = 0;
};

class ConnectionTable {
 public:
  // Bytes that libzmq has read from the connection; empty: there is no such connection any more.
  using BytesRead = std::function<std::optional<std::uint64_t>(const ConnectionName&)>;
  struct Overdue {
    ConnectionName connection;
    std::string client;  // empty: not known
    std::string reason;
  };

  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  // Returns the connection that must be closed for this one, if there is one.
  [[nodiscard]] std::optional<ConnectionName> accepted(const ConnectionName& connection,
                                                       const std::string& address, Instant now);
  void closed(int descriptor);
  // A complete message of `bytes` on the wire was handed over. routing_number: libzmq's number of the connection, which
  // increases. Returns the connection of the same client that must be closed, if there is one.
  [[nodiscard]] std::optional<ConnectionName> delivered(int descriptor, std::uint32_t routing_number,
                                                        std::string_view client, std::uint64_t bytes,
                                                        Instant now);
  // Connections that were silent for too long, or that hold too many bytes of unfinished messages. They must be closed.
  [[nodiscard]] std::vector<Overdue> overdue(Instant now, const BytesRead& bytes_read);
  // The connections of a client, or that with this routing number; they must be closed.
  [[nodiscard]] std::vector<ConnectionName> take(std::string_view client);
  [[nodiscard]] std::optional<ConnectionName> take(int descriptor, std::uint32_t routing_number);

  // Without those that must be closed.
  [[nodiscard]] std::size_t open() const { return open_; }
  [[nodiscard]] std::size_t without_message() const { return newcomers_.size(); }

 private:
  struct Connection {
    std::uint64_t cookie = 0;
    std::uint64_t number = 0;  // in the order of acceptance
    std::string network;  // network_of() its address
    Instant heard_at;  // accepted, or the last message
    std::string client;  // empty: no message yet
    std::uint32_t routing_number = 0;
    std::uint64_t delivered = 0;
    bool doomed = false;  // it must be closed, and is not closed yet
  };

  [[nodiscard]] ConnectionName doom(int descriptor, Connection& connection);
  void forget_newcomer(const Connection& connection);
  // The oldest connection without a message from the networks that have most of them.
  [[nodiscard]] int newcomer_to_close() const;
  [[nodiscard]] std::optional<ConnectionName> surplus_of(std::string_view client);

  ConnectionLimits limits_;
  std::unordered_map<int, Connection> connections_;  // by descriptor
  std::map<std::uint64_t, int> newcomers_;  // descriptors of connections without a message, oldest first
  std::unordered_map<std::string, std::uint32_t> newcomers_of_;  // their number, by network
  std::size_t open_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace hansa::transport
