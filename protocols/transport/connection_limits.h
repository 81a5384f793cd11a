// Limits on the connections of a server channel. An outsider is limited by handshakes_max, a client by the others.
#pragma once
#include <cstdint>

#include "common/time.h"

namespace hansa::transport {

struct ConnectionLimits {
  // Open connections. Lowered to what the limit of open files allows, less spare_descriptors.
  std::uint32_t connections_max = 20'000;
  // Connections that have sent no message yet. The oldest one of the network (address_network.h) that has most of them is
  // closed for a new one, so that a network crowds out only itself.
  std::uint32_t handshakes_max = 8'192;
  // Connections of one client. The one that has been silent for longest is closed for a new one.
  std::uint32_t per_client_max = 4;
  // Handshakes of one key: at most this number at once, and as many a minute.
  std::uint32_t handshakes_per_minute = 60;
  // Bytes that a client's connections have sent and that are not yet part of a complete message handed to the
  // application. libzmq limits complete messages only; an unfinished one grows without end. Above what Grants allow
  // (8 chunks of at most 1 MiB: server/coordinator/internal/uploads.cpp).
  std::uint64_t undelivered_bytes_max = 10 << 20;
  std::uint64_t undelivered_bytes_before_first_message = 256 << 10;
  Duration first_message_max = std::chrono::seconds(30);  // from the TCP connection to the first message
  Duration silence_max = std::chrono::seconds(90);  // from one complete message to the next
};

// Descriptors that connections leave to the store, commits and child processes.
inline constexpr std::uint32_t spare_descriptors = 256;

}  // namespace hansa::transport
