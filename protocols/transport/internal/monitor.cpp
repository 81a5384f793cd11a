#include "protocols/transport/internal/monitor.h"

#include <cstring>
#include <utility>

#include "protocols/transport/internal/frames.h"

namespace hansa::transport {

Monitor::Monitor(zmq::context_t& context, zmq::socket_t& watched, const std::string& name)
    : watched_(watched), events_(context, zmq::socket_type::pair) {
  const std::string address = "inproc://" + name;
  if (::zmq_socket_monitor(watched.handle(), address.c_str(), ZMQ_EVENT_ALL) != 0) throw zmq::error_t();
  events_.set(zmq::sockopt::linger, 0);
  events_.connect(address);
}

Monitor::~Monitor() { stop(); }

void Monitor::stop() {
  if (!std::exchange(stopped_, true)) ::zmq_socket_monitor(watched_.handle(), nullptr, 0);
}

bool Monitor::next(SocketEvent& event) {
  // An event has two frames: 16 bits of kind and 32 bits of value in the machine's byte order, and an address.
  Message message;
  if (!receive_message(events_, message) || message.first.size() != 6) return false;
  std::uint16_t kind = 0;
  std::memcpy(&kind, message.first.data(), sizeof kind);
  std::memcpy(&event.value, static_cast<const char*>(message.first.data()) + sizeof kind, sizeof event.value);
  event.kind = kind;
  return true;
}

}  // namespace hansa::transport
