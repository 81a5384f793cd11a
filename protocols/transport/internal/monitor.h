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

// Must be destroyed before the socket that it watches. Created and destroyed on the socket's thread; another thread may
// take the events in between, one at a time.
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
  // Ends the events. On the socket's thread. Waits while libzmq's I/O threads send events that are not taken, so that
  // another thread must take them meanwhile if there may be more than 1,000.
  void stop();

 private:
  zmq::socket_t& watched_;
  zmq::socket_t events_;
  bool stopped_ = false;
};

}  // namespace hansa::transport
