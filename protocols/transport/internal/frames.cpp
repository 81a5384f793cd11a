#include "protocols/transport/internal/frames.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <limits>

namespace hansa::transport {
namespace {

void release_owner(void* /*bytes*/, void* hint) { delete static_cast<std::shared_ptr<const void>*>(hint); }

}  // namespace

int send_frame(zmq::socket_t& socket, zmq::message_t& frame, More more) {
  for (;;) {
    if (::zmq_msg_send(frame.handle(), socket.handle(), ZMQ_DONTWAIT | static_cast<int>(more)) >= 0) return 0;
    const int error = ::zmq_errno();
    if (error == EINTR) continue;
    assert(error == EAGAIN || error == EHOSTUNREACH);
    return error;
  }
}

bool receive_frame(zmq::socket_t& socket, zmq::message_t& frame) {
  for (;;) {
    if (::zmq_msg_recv(frame.handle(), socket.handle(), ZMQ_DONTWAIT) >= 0) return true;
    const int error = ::zmq_errno();
    if (error == EINTR) continue;
    assert(error == EAGAIN);
    return false;
  }
}

zmq::message_t make_frame(std::span<const std::byte> bytes) { return {bytes.data(), bytes.size()}; }

zmq::message_t make_frame(const Bulk& bulk) {
  if (!bulk.owner) return make_frame(bulk.bytes);
  auto hint = std::make_unique<std::shared_ptr<const void>>(bulk.owner);
  // The parameter of ZeroMQ is not const, but ZeroMQ does not change the bytes.
  zmq::message_t frame(const_cast<std::byte*>(bulk.bytes.data()), bulk.bytes.size(), release_owner,
                       hint.get());
  static_cast<void>(hint.release());
  return frame;
}

std::span<const std::byte> bytes_of(const zmq::message_t& frame) {
  return {static_cast<const std::byte*>(frame.data()), frame.size()};
}

void receive_rest(zmq::socket_t& socket, Message& message) {
  message.frames = 0;
  message.second.rebuild();
  zmq::message_t surplus;
  for (;;) {
    zmq::message_t& frame = message.frames == 0   ? message.first
                            : message.frames == 1 ? message.second
                                                  : surplus;
    // ZeroMQ delivers all frames of a message at once, so that this does not wait.
    [[maybe_unused]] const bool arrived = receive_frame(socket, frame);
    assert(arrived);
    ++message.frames;
    if (!frame.more()) return;
  }
}

bool receive_message(zmq::socket_t& socket, Message& message) {
  message.frames = 0;
  message.second.rebuild();
  if (!receive_frame(socket, message.first)) return false;
  message.frames = 1;
  if (!message.first.more()) return true;
  Message rest;
  receive_rest(socket, rest);
  message.second = std::move(rest.first);
  message.frames += rest.frames;
  return true;
}

long to_milliseconds(Duration duration) {
  if (duration <= Duration::zero()) return 0;
  constexpr std::int64_t longest = std::numeric_limits<int>::max();
  const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<long>(std::min<std::int64_t>(rounded_up, longest));
}

int to_option_milliseconds(Duration duration) { return static_cast<int>(to_milliseconds(duration)); }

void set_heartbeat(zmq::socket_t& socket, Duration heartbeat) {
  // ZMTP has 16 bits for the time to live, in tenths of a second.
  const int interval = std::min(to_option_milliseconds(heartbeat), 2'000'000);
  socket.set(zmq::sockopt::heartbeat_ivl, interval);
  socket.set(zmq::sockopt::heartbeat_timeout, 3 * interval);
  socket.set(zmq::sockopt::heartbeat_ttl, 3 * interval);
}

}  // namespace hansa::transport
