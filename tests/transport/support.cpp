#include "tests/transport/support.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace hansa::transport::testing {
namespace {

constexpr Duration turn_max = std::chrono::milliseconds(5);

}  // namespace

std::vector<std::byte> bytes(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

SecretKey new_key() { return generate_secret_key().value(); }

void Roster::admit_as(const SecretKey& key, const std::string& name) {
  const std::lock_guard lock(mutex_);
  names_[key.public_key().value()] = name;
}

void Roster::remove(const SecretKey& key) {
  const std::lock_guard lock(mutex_);
  names_.erase(key.public_key().value());
}

std::optional<std::string> Roster::admit(const PublicKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(key);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

Server::Server(Admission& admission, ServerChannelConfig config)
    : channel(ServerChannel::open(config, key, admission).value()) {}

void Server::poll(std::size_t messages_max) {
  channel->poll(turn_max,
                {.on_message =
                     [this](const Incoming& in) {
                       received.push_back({in.peer, std::string(in.client), text(in.message), text(in.bulk)});
                     },
                 .on_refused = [this](const Error& error) { refused.push_back(error); }},
                -1, messages_max);
}

Client::Client(const std::string& address, const PublicKey& aggregator, const SecretKey& key,
               Duration connect_max) {
  ClientChannelConfig config;
  config.address = address;
  config.aggregator = aggregator;
  config.connect_max = connect_max;
  channel = ClientChannel::open(config, key).value();
}

Client::Client(const Server& server, const SecretKey& key)
    : Client(server.channel->endpoint(), server.key.public_key().value(), key) {}

void Client::poll(std::size_t messages_max) {
  channel->poll(turn_max,
                {.on_message =
                     [this](std::span<const std::byte> message, std::span<const std::byte> bulk) {
                       received.push_back({PeerId(), "", text(message), text(bulk)});
                     },
                 .on_link = [this](const LinkEvent& event) { events.push_back(event); }},
                messages_max);
}

bool Client::connected() const { return !events.empty() && events.back().kind == LinkEvent::Kind::connected; }

bool until(const std::function<bool()>& condition, const std::function<void()>& turn) {
  const Instant deadline = steady_now() + std::chrono::seconds(20);
  while (!condition()) {
    if (steady_now() >= deadline) return false;
    turn();
  }
  return true;
}

}  // namespace hansa::transport::testing
