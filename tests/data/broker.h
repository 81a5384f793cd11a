// A real mosquitto broker on loopback, with a publisher that waits for each acknowledgement.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <sys/types.h>

#include "learning/data/follow/follow_config.h"
#include "tests/data/data_files.h"

struct mosquitto;

namespace hansa::learning::testing {

class Broker {
 public:
  enum class Channel : std::uint8_t { plain, encrypted };
  // Whether mosquitto is where Debian installs it.
  [[nodiscard]] static bool is_installed();
  // Writes its files to `folder`. Channel::encrypted: with a certificate for "localhost", signed by ca_file().
  Broker(const TemporaryFolder& folder, Channel channel = Channel::plain);
  ~Broker();

  void start();
  void stop(int signal);  // SIGTERM keeps its sessions, because persistence is on
  static constexpr const char* default_topic = "plant/pump";
  void publish(const std::string& payload, const std::string& topic = default_topic) const;
  // From this call on the broker queues what is published for the client of this name.
  void open_session(const std::string& client_id, const std::string& topic = default_topic) const;

  [[nodiscard]] BrokerConfig config() const;  // of a client of this broker
  [[nodiscard]] std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }

 private:
  void ask(const char* client_id, const std::function<int(mosquitto*)>& what) const;

  const TemporaryFolder& folder_;
  Channel channel_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace hansa::learning::testing
