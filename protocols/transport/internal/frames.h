// Sends and receives the frames of a ZeroMQ socket without exceptions, and bulk bytes without a copy.
#pragma once
#include <cstddef>
#include <optional>
#include <span>

#include <zmq.hpp>

#include "common/time.h"
#include "protocols/transport/bulk.h"

namespace hansa::transport {

enum class More : int { none = 0, follows = ZMQ_SNDMORE };

// Does not block. Returns 0, or EAGAIN or EHOSTUNREACH; then the frame is unchanged.
[[nodiscard]] int send_frame(zmq::socket_t& socket, zmq::message_t& frame, More more);
// Does not block. Returns false if there is no frame.
[[nodiscard]] bool receive_frame(zmq::socket_t& socket, zmq::message_t& frame);
// Holds bulk.owner until ZeroMQ has sent the bytes. Without an owner the bytes are copied.
[[nodiscard]] zmq::message_t make_frame(const Bulk& bulk);
[[nodiscard]] zmq::message_t make_frame(std::span<const std::byte> bytes);
[[nodiscard]] std::span<const std::byte> bytes_of(const zmq::message_t& frame);

// A received message. At most two frames are kept; further frames are counted and dropped.
struct Message {
  zmq::message_t first;
  zmq::message_t second;
  std::size_t frames = 0;
  [[nodiscard]] bool well_formed() const { return frames >= 1 && frames <= 2 && first.size() > 0; }
};
// Does not block. Returns false if there is no message.
[[nodiscard]] bool receive_message(zmq::socket_t& socket, Message& message);
// Receives the frames of a message whose routing id has been received already.
void receive_rest(zmq::socket_t& socket, Message& message);

// For zmq_poll: at least 0, and rounded up so that a deadline has passed when zmq_poll returns.
[[nodiscard]] long to_milliseconds(Duration duration);
[[nodiscard]] int to_option_milliseconds(Duration duration);

// A dead peer is detected after three heartbeats without a frame. Both ends use the same value.
void set_heartbeat(zmq::socket_t& socket, Duration heartbeat);

}  // namespace hansa::transport
