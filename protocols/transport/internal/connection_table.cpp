#include "protocols/transport/internal/connection_table.h"

#include <algorithm>
#include <fmt/format.h>

#include "protocols/transport/address_network.h"

namespace hansa::transport {
namespace {

// The peer's ZMTP commands (heartbeats, the handshake) are read and never handed over: what an honest client sends of
// them before its first message and in the longest silence.
constexpr std::uint64_t command_bytes_max = 4'096;

}  // namespace

std::optional<ConnectionName> ConnectionTable::accepted(const ConnectionName& connection,
                                                        const std::string& address, Instant now) {
  closed(connection.descriptor);  // the event of its end was lost
  Connection& entry = connections_[connection.descriptor];
  entry.cookie = connection.cookie;
  entry.number = ++last_number_;
  entry.network = network_of(address);
  entry.heard_at = now;
  newcomers_.emplace(entry.number, connection.descriptor);
  ++newcomers_of_[entry.network];
  ++open_;
  if (newcomers_.size() <= limits_.handshakes_max && open_ <= limits_.connections_max) return std::nullopt;
  const int victim = newcomer_to_close();
  return doom(victim, connections_.at(victim));
}

int ConnectionTable::newcomer_to_close() const {
  const auto most = std::max_element(newcomers_of_.begin(), newcomers_of_.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  // Several networks may have as many: then the oldest connection of all these.
  for (const auto& [number, descriptor] : newcomers_)
    if (newcomers_of_.at(connections_.at(descriptor).network) == most->second) return descriptor;
  return newcomers_.begin()->second;
}

void ConnectionTable::forget_newcomer(const Connection& connection) {
  if (newcomers_.erase(connection.number) == 0) return;
  const auto count = newcomers_of_.find(connection.network);
  if (--count->second == 0) newcomers_of_.erase(count);
}

ConnectionName ConnectionTable::doom(int descriptor, Connection& connection) {
  forget_newcomer(connection);
  connection.doomed = true;
  --open_;
  return {descriptor, connection.cookie};
}

void ConnectionTable::closed(int descriptor) {
  const auto found = connections_.find(descriptor);
  if (found == connections_.end()) return;
  forget_newcomer(found->second);
  if (!found->second.doomed) --open_;
  connections_.erase(found);
}

std::optional<ConnectionName> ConnectionTable::delivered(int descriptor, std::uint32_t routing_number,
                                                         std::string_view client, std::uint64_t bytes,
                                                         Instant now) {
  const auto found = connections_.find(descriptor);
  if (found == connections_.end() || found->second.doomed) return std::nullopt;
  Connection& connection = found->second;
  const bool is_first = connection.client.empty();
  // A message of an older connection that had the same descriptor. The numbers wrap around.
  if (!is_first && static_cast<std::int32_t>(routing_number - connection.routing_number) < 0)
    return std::nullopt;
  connection.heard_at = now;
  if (!is_first && routing_number == connection.routing_number) {
    connection.delivered += bytes;
    return std::nullopt;
  }
  forget_newcomer(connection);
  connection.client = client;
  connection.routing_number = routing_number;
  connection.delivered = bytes;
  return surplus_of(client);
}

std::optional<ConnectionName> ConnectionTable::surplus_of(std::string_view client) {
  std::uint32_t count = 0;
  auto silent_longest = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (it->second.doomed || it->second.client != client) continue;
    ++count;
    if (silent_longest == connections_.end() || it->second.heard_at < silent_longest->second.heard_at)
      silent_longest = it;
  }
  if (count <= limits_.per_client_max) return std::nullopt;
  return doom(silent_longest->first, silent_longest->second);
}

std::vector<ConnectionTable::Overdue> ConnectionTable::overdue(Instant now, const BytesRead& bytes_read) {
  struct Held {
    std::uint64_t bytes = 0;
    std::vector<int> descriptors;
  };
  std::vector<Overdue> out;
  std::vector<int> ended;
  std::unordered_map<std::string_view, Held> of_client;
  for (auto& [descriptor, connection] : connections_) {
    if (connection.doomed) continue;
    const Duration silent = now - connection.heard_at;
    const std::string& client = connection.client;
    const auto read = bytes_read({descriptor, connection.cookie});
    if (!read) {
      ended.push_back(descriptor);
      continue;
    }
    const std::uint64_t held = *read - std::min(*read, connection.delivered + command_bytes_max);
    if (client.empty() && silent >= limits_.first_message_max) {
      out.push_back({doom(descriptor, connection), client, "it sent no message"});
    } else if (client.empty() && held > limits_.undelivered_bytes_before_first_message) {
      out.push_back({doom(descriptor, connection), client, "its first message is too long"});
    } else if (silent >= limits_.silence_max) {
      out.push_back({doom(descriptor, connection), client, "it was silent for too long"});
    } else if (!client.empty() && held > 0) {
      Held& sum = of_client[client];
      sum.bytes += held;
      sum.descriptors.push_back(descriptor);
    }
  }
  for (const auto& [client, held] : of_client) {
    if (held.bytes <= limits_.undelivered_bytes_max) continue;
    for (const int descriptor : held.descriptors)
      out.push_back({doom(descriptor, connections_.at(descriptor)), std::string(client),
                     fmt::format("its connections hold {} MiB of unfinished messages", held.bytes >> 20)});
  }
  for (const int descriptor : ended) closed(descriptor);
  return out;
}

std::vector<ConnectionName> ConnectionTable::take(std::string_view client) {
  std::vector<ConnectionName> out;
  for (auto& [descriptor, connection] : connections_)
    if (!connection.doomed && connection.client == client) out.push_back(doom(descriptor, connection));
  return out;
}

std::optional<ConnectionName> ConnectionTable::take(int descriptor, std::uint32_t routing_number) {
  const auto found = connections_.find(descriptor);
  if (found == connections_.end() || found->second.doomed) return std::nullopt;
  if (!found->second.client.empty() && found->second.routing_number != routing_number) return std::nullopt;
  return doom(descriptor, found->second);
}

}  // namespace hansa::transport
