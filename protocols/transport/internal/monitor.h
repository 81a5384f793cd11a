// The events of one socket's connections (zmq_socket_monitor), as values.
#pragma once
#include <cstdint>
#include <string>

#include <zmq.hpp>

namespace hansa::transport {

struct SocketEvent {
  int kind = 0;  // ZMQ_EVENT_...
  std::uint32_t value = 0;  // a descriptor, an errno or a protocol error, depending on the kind
};

// Must be destroyed before the socket that it watches. Used by the same thread as the socket.
class Monitor {
 public:
  // The name must be unique within the context. Throws zmq::error_t.
  Monitor(zmq::context_t& context, zmq::socket_t& watched, const std::string& name);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  [[nodiscard]] zmq::socket_t& socket() { return events_; }
  // Does not block. Returns false if there is no event.
  [[nodiscard]] bool next(SocketEvent& event);

 private:
  zmq::socket_t& watched_;
  zmq::socket_t events_;
};

}  // namespace hansa::transport
