// Frames in and out of a ZeroMQ socket: without exceptions, and bulk without a copy.
#pragma once
#include <cstddef>
#include <optional>
#include <span>

#include <zmq.hpp>

#include "common/time.h"
#include "protocols/transport/bulk.h"

namespace hansa::transport {

enum class More : int { none = 0, follows = ZMQ_SNDMORE };

// Never waits. 0, or the errno of the refusal (EAGAIN, EHOSTUNREACH); the frame is then unchanged.
[[nodiscard]] int send_frame(zmq::socket_t& socket, zmq::message_t& frame, More more);
// Never waits. False when there is none.
[[nodiscard]] bool receive_frame(zmq::socket_t& socket, zmq::message_t& frame);
// bulk.owner, if there is one, is held until ZeroMQ has sent the bytes; else they are copied.
[[nodiscard]] zmq::message_t make_frame(const Bulk& bulk);
[[nodiscard]] zmq::message_t make_frame(std::span<const std::byte> bytes);
[[nodiscard]] std::span<const std::byte> bytes_of(const zmq::message_t& frame);

// One message of a peer: at most two frames are kept, the others are counted and dropped.
struct Message {
  zmq::message_t first;
  zmq::message_t second;
  std::size_t frames = 0;
  [[nodiscard]] bool well_formed() const { return frames >= 1 && frames <= 2 && first.size() > 0; }
};
// Never waits. False when there is none.
[[nodiscard]] bool receive_message(zmq::socket_t& socket, Message& message);
// The frames of a message whose first parts (a routing id) have been taken already.
void receive_rest(zmq::socket_t& socket, Message& message);

// For zmq_poll: at least 0, rounded up so that a deadline has passed when poll returns.
[[nodiscard]] long to_milliseconds(Duration duration);
[[nodiscard]] int to_option_milliseconds(Duration duration);

// A dead peer is noticed after three silent heartbeats; both ends set the same.
void set_heartbeat(zmq::socket_t& socket, Duration heartbeat);

}  // namespace hansa::transport
