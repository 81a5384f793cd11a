#include "protocols/transport/internal/connection_guard.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <arpa/inet.h>

#include "protocols/transport/internal/connection_socket.h"
#include "protocols/transport/internal/frames.h"

namespace hansa::transport {
namespace {

constexpr Duration look_every = std::chrono::milliseconds(100);
// Looking at a connection takes about two microseconds. With many of them it is done less often, so that it takes at
// most a fiftieth of a core.
constexpr int look_share = 50;

std::uint32_t number_of(std::string_view routing_id) {
  std::uint32_t number = 0;
  if (routing_id.size() == 1 + sizeof number) std::memcpy(&number, routing_id.data() + 1, sizeof number);
  return ntohl(number);
}

}  // namespace

std::uint64_t frame_bytes_on_wire(std::uint64_t bytes) {
  // RFC 26: the command's name (8), the nonce (8), the authenticator (16) and the flags (1).
  const std::uint64_t encrypted = bytes + 33;
  return encrypted + (encrypted <= 255 ? 2 : 9);
}

ConnectionGuard::ConnectionGuard(Monitor& monitor, std::string endpoint, const ConnectionLimits& limits,
                                 OnRefused on_refused)
    : monitor_(monitor),
      watch_(endpoint),
      port_(port_of(endpoint)),
      on_refused_(std::move(on_refused)),
      table_(limits),
      next_look_(steady_now() + look_every),
      thread_([this] { serve(); }) {}

ConnectionGuard::~ConnectionGuard() {
  monitor_.stop();  // the thread takes events meanwhile
  stop_.notify();
  thread_.join();
}

void ConnectionGuard::serve() {
  std::array<zmq_pollitem_t, 2> items{
      {{monitor_.socket().handle(), 0, ZMQ_POLLIN, 0}, {nullptr, stop_.get(), ZMQ_POLLIN, 0}}};
  for (;;) {
    ::zmq_poll(items.data(), static_cast<int>(items.size()), to_milliseconds(next_look_ - steady_now()));
    if ((items[1].revents & ZMQ_POLLIN) != 0) return;
    SocketEvent event;
    // Bounded, so that a flood of connections does not keep it from looking.
    for (int i = 0; i < 1'000 && monitor_.next(event); ++i) take(event);
    if (steady_now() >= next_look_) look_for_overdue();
  }
}

void ConnectionGuard::take(const SocketEvent& event) {
  if (event.kind == ZMQ_EVENT_ACCEPTED) {
    const int descriptor = static_cast<int>(event.value);
    if (const auto name = name_connection(descriptor, port_)) {
      std::optional<ConnectionName> surplus;
      {
        const std::lock_guard lock(mutex_);
        surplus = table_.accepted(*name, peer_address(descriptor), steady_now());
      }
      if (surplus) reset(*surplus);
    }
  } else if (event.kind == ZMQ_EVENT_DISCONNECTED) {
    const std::lock_guard lock(mutex_);
    table_.closed(static_cast<int>(event.value));
  }
  if (auto error = watch_.take(event)) on_refused_(std::move(*error));
}

void ConnectionGuard::look_for_overdue() {
  const Instant began = steady_now();
  std::vector<ConnectionTable::Overdue> overdue;
  {
    const std::lock_guard lock(mutex_);
    overdue = table_.overdue(began, bytes_read);
  }
  for (const auto& [connection, client, reason] : overdue) {
    const std::string location = client.empty() ? peer_address(connection.descriptor) : "client " + client;
    reset(connection);
    on_refused_(Error{ErrorCode::protocol, location, "a connection was closed: " + reason, ""});
  }
  const Instant now = steady_now();
  next_look_ = now + std::max<Duration>(look_every, look_share * (now - began));
}

void ConnectionGuard::on_delivered(const Delivery& delivery) {
  std::optional<ConnectionName> surplus;
  {
    const std::lock_guard lock(mutex_);
    surplus = table_.delivered(delivery.descriptor, number_of(delivery.routing_id), delivery.client,
                               delivery.bytes_on_wire, steady_now());
  }
  if (surplus) reset(*surplus);
}

void ConnectionGuard::close(int descriptor, std::string_view routing_id) {
  std::optional<ConnectionName> connection;
  {
    const std::lock_guard lock(mutex_);
    connection = table_.take(descriptor, number_of(routing_id));
  }
  if (connection) reset(*connection);
}

void ConnectionGuard::close_all_of(std::string_view client) {
  std::vector<ConnectionName> connections;
  {
    const std::lock_guard lock(mutex_);
    connections = table_.take(client);
  }
  for (const ConnectionName& connection : connections) reset(connection);
}

std::size_t ConnectionGuard::open() const {
  const std::lock_guard lock(mutex_);
  return table_.open();
}

}  // namespace hansa::transport
