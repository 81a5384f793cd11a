// Two machines on a slow link, as network namespaces: one for the aggregator and one for the device.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

namespace hansa::testing {

// The namespaces are removed with the object, and at the latest with the test's process.
class NetworkPair {
 public:
  struct Wire {
    std::uint64_t bytes_per_second = 0;  // in each direction
    double loss = 0;  // fraction of packets, in each direction
  };
  static constexpr const char* aggregator_address = "10.77.0.1";

  // Empty if namespaces or the tools for them are not available; `why` has the reason.
  [[nodiscard]] static std::unique_ptr<NetworkPair> create(const Wire& wire, std::string& why);
  ~NetworkPair();
  NetworkPair(const NetworkPair&) = delete;
  NetworkPair& operator=(const NetworkPair&) = delete;

  // Process for ChildProcess's network_of.
  [[nodiscard]] pid_t aggregator() const { return aggregator_; }
  [[nodiscard]] pid_t device() const { return device_; }

  [[nodiscard]] std::uint64_t bytes_to_device() const;
  [[nodiscard]] std::uint64_t bytes_from_device() const;

  // Unplugs the cable: packets are lost without notice.
  void unplug();
  void plug_in();
  // Answers the device's packets with a reset, as a restarted router does.
  void refuse();
  void admit();
  // Gives the device another address, as in another network. Its connections are lost.
  void move_device();

 private:
  NetworkPair() = default;
  [[nodiscard]] bool set_up(const Wire& wire, std::string& why);
  [[nodiscard]] std::uint64_t counter(int field) const;

  pid_t aggregator_ = -1;  // processes that keep the namespaces alive
  pid_t device_ = -1;
  int moves_ = 0;
};

}  // namespace hansa::testing
