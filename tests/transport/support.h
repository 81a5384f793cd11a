// Two real channel ends on loopback, run alternately on one thread until a condition holds.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "protocols/transport/client_channel.h"
#include "protocols/transport/server_channel.h"

namespace hansa::transport::testing {

std::vector<std::byte> bytes(std::string_view text);
std::string text(std::span<const std::byte> bytes);
SecretKey new_key();

// Admission that may change while the channel runs.
class Roster final : public Admission {
 public:
  void admit_as(const SecretKey& key, const std::string& name);
  void remove(const SecretKey& key);
  [[nodiscard]] std::optional<std::string> admit(const PublicKey& key) override;

 private:
  std::mutex mutex_;
  std::map<PublicKey, std::string> names_;
};

struct Received {
  PeerId peer;
  std::string client;
  std::string message;
  std::string bulk;
};

struct Server {
  explicit Server(Admission& admission, ServerChannelConfig config = {.bind = "tcp://127.0.0.1:0"});
  void poll(std::size_t messages_max = 1000);
  SecretKey key = new_key();
  std::unique_ptr<ServerChannel> channel;
  std::vector<Received> received;
  std::vector<Error> refused;
};

struct Client {
  Client(const std::string& address, const PublicKey& aggregator, const SecretKey& key,
         Duration connect_max = std::chrono::seconds(10));
  Client(const Server& server, const SecretKey& key);
  void poll(std::size_t messages_max = 1000);
  [[nodiscard]] bool connected() const;
  [[nodiscard]] const LinkEvent* last_event() const { return events.empty() ? nullptr : &events.back(); }
  std::unique_ptr<ClientChannel> channel;
  std::vector<Received> received;  // peer and client are empty
  std::vector<LinkEvent> events;
};

// Calls `turn` until `condition` holds; false after twenty seconds.
bool until(const std::function<bool()>& condition, const std::function<void()>& turn);

}  // namespace hansa::transport::testing
