// Enforces the limits of a server's connections: a thread that takes the events of the socket's monitor, and closes
// connections (connection_table.h) by resetting their sockets.
//
// The thread takes events as fast as they come. libzmq's I/O threads wait while 1,000 events are unread, and then hold
// a lock that closing the socket needs; so nobody else may be waited for.
#pragma once
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <zmq.hpp>

#include "common/error.h"
#include "protocols/transport/connection_limits.h"
#include "protocols/transport/internal/connection_table.h"
#include "protocols/transport/internal/connection_watch.h"
#include "protocols/transport/internal/monitor.h"
#include "protocols/transport/internal/wake_descriptor.h"

namespace hansa::transport {

// Thread-safe, except for construction and destruction, which belong to the thread of the watched socket. Must be
// created after the socket was bound, and destroyed before it is closed.
class ConnectionGuard {
 public:
  using OnRefused = std::function<void(Error)>;

  // The monitor watches the socket since before it was bound. on_refused is called on the guard's thread: what failed
  // before it was established, and what was closed. Throws std::system_error.
  ConnectionGuard(Monitor& monitor, std::string endpoint, const ConnectionLimits& limits,
                  OnRefused on_refused);
  ~ConnectionGuard();  // stops the monitor
  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;

  // A complete message was handed over; bytes_on_wire: with ZMTP's headers and the encryption.
  struct Delivery {
    int descriptor = -1;  // ZMQ_SRCFD
    std::string_view routing_id;  // made by the ROUTER: a zero byte and its number
    std::string_view client;
    std::uint64_t bytes_on_wire = 0;
  };
  void on_delivered(const Delivery& delivery);
  void close(int descriptor, std::string_view routing_id);
  void close_all_of(std::string_view client);
  [[nodiscard]] std::size_t open() const;

 private:
  void serve();
  void take(const SocketEvent& event);
  void look_for_overdue();

  Monitor& monitor_;
  ConnectionWatch watch_;
  std::uint16_t port_;
  OnRefused on_refused_;
  mutable std::mutex mutex_;
  ConnectionTable table_;  // guarded by mutex_
  Instant next_look_;
  WakeDescriptor stop_;
  std::thread thread_;
};

// Bytes of a frame on the wire: ZMTP's header, and CURVE's MESSAGE command around the frame.
[[nodiscard]] std::uint64_t frame_bytes_on_wire(std::uint64_t bytes);

}  // namespace hansa::transport
