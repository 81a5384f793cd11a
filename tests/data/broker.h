// A real mosquitto broker on loopback, and a publisher that waits for each acknowledgement.
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
  // Where Debian installs it.
  [[nodiscard]] static bool is_installed();
  // Its files lie in folder. Encrypted: with a certificate for "localhost", signed by ca_file().
  Broker(const TemporaryFolder& folder, Channel channel = Channel::plain);
  ~Broker();

  void start();
  void stop(int signal);  // SIGTERM keeps its sessions, as persistence is on
  void publish(const std::string& payload) const;
  // From now on the broker keeps what is published for the client of this name.
  void open_session(const std::string& client_id) const;

  [[nodiscard]] BrokerConfig config() const;  // for a client
  [[nodiscard]] std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }

 private:
  void ask(const char* client_id, const std::function<int(mosquitto*)>& what) const;

  const TemporaryFolder& folder_;
  Channel channel_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace hansa::learning::testing
