#include "simulation/network.h"

#include <algorithm>

namespace hansa::simulation {

Network::Network(EventQueue& events, std::uint64_t seed, Handlers handlers)
    : events_(events), random_(seed), handlers_(std::move(handlers)) {}

Duration Network::latency() {
  const auto width = (faults_.latency_max - faults_.latency_min).count();
  if (width <= 0) return faults_.latency_min;
  return faults_.latency_min +
         Duration(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(width))));
}

void Network::open(const std::string& client) {
  close(client);
  if (!listening_) {
    events_.after(latency(), [this, client] { handlers_.link_down(client); });
    return;
  }
  const PeerId peer(next_peer_++);
  auto connection = std::make_shared<Connection>();
  connection->client = client;
  connection->last_to_aggregator = connection->last_to_client = events_.now();
  by_peer_[peer] = connection;
  by_client_[client] = peer;
  events_.after(latency(), [this, connection] {
    if (connection->alive) handlers_.link_up(connection->client);
  });
}

void Network::close(const std::string& client) {
  const auto found = by_client_.find(client);
  if (found == by_client_.end()) return;
  by_peer_[found->second]->alive = false;
  by_peer_.erase(found->second);
  by_client_.erase(found);
}

void Network::close_gracefully(const std::string& client) {
  const auto found = by_client_.find(client);
  if (found == by_client_.end()) return;
  const auto connection = by_peer_[found->second];
  by_peer_.erase(found->second);
  by_client_.erase(found);
  events_.at(connection->last_to_aggregator + Duration(1), [connection] { connection->alive = false; });
}

void Network::break_connection(const std::shared_ptr<Connection>& connection) {
  if (!connection->alive) return;
  const std::string client = connection->client;
  close(client);
  events_.after(latency(), [this, client] {
    // The client may have opened a new connection in the meantime.
    if (!by_client_.contains(client)) handlers_.link_down(client);
  });
}

void Network::aggregator_down() {
  listening_ = false;
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [peer, connection] : by_peer_) all.push_back(connection);
  for (const auto& connection : all) break_connection(connection);
}

void Network::transmit(const std::shared_ptr<Connection>& connection, Instant& last, const Deliver& deliver) {
  if (random_.chance(faults_.cut)) {
    break_connection(connection);
    return;
  }
  if (random_.chance(faults_.lose)) return;
  const int copies = random_.chance(faults_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    Instant when = events_.now() + latency();
    if (!random_.chance(faults_.overtake)) last = when = std::max(when, last);
    events_.at(when, [connection, deliver] {
      if (connection->alive) deliver();
    });
  }
}

void Network::client_to_aggregator(const std::string& client, std::span<const std::byte> message,
                                   std::span<const std::byte> bulk) {
  const auto found = by_client_.find(client);
  if (found == by_client_.end()) return;
  const PeerId peer = found->second;
  const auto connection = by_peer_.at(peer);
  transmit(
      connection, connection->last_to_aggregator,
      [this, peer, client, m = Bytes(message.begin(), message.end()), b = Bytes(bulk.begin(), bulk.end())] {
        if (listening_) handlers_.to_aggregator(peer, client, m, b);
      });
}

bool Network::aggregator_to_client(PeerId peer, std::span<const std::byte> message,
                                   std::span<const std::byte> bulk) {
  const auto found = by_peer_.find(peer);
  if (found == by_peer_.end()) return false;
  const auto connection = found->second;
  transmit(connection, connection->last_to_client,
           [this, client = connection->client, m = Bytes(message.begin(), message.end()),
            b = Bytes(bulk.begin(), bulk.end())] { handlers_.to_client(client, m, b); });
  return true;
}

}  // namespace hansa::simulation
