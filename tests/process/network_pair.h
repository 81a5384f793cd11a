// Two machines on one slow wire, as network namespaces: an aggregator's and a device's.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

namespace hansa::testing {

// All goes when the object, or the test's process, does.
class NetworkPair {
 public:
  struct Wire {
    std::uint64_t bytes_per_second = 0;  // each way
    double loss = 0;  // share of the packets, each way
  };
  static constexpr const char* aggregator_address = "10.77.0.1";

  // Empty: namespaces, or the tools for them, are not to be had here; why says it.
  [[nodiscard]] static std::unique_ptr<NetworkPair> create(const Wire& wire, std::string& why);
  ~NetworkPair();
  NetworkPair(const NetworkPair&) = delete;
  NetworkPair& operator=(const NetworkPair&) = delete;

  // For ChildProcess.
  [[nodiscard]] pid_t aggregator() const { return aggregator_; }
  [[nodiscard]] pid_t device() const { return device_; }

  [[nodiscard]] std::uint64_t bytes_to_device() const;
  [[nodiscard]] std::uint64_t bytes_from_device() const;

  // The wire is pulled: packets go nowhere, and nobody is told.
  void unplug();
  void plug_in();
  // What the device sends is answered with a reset, as a router does that was restarted.
  void refuse();
  void admit();
  // The device gets another address, as in another network: what it had open is lost.
  void move_device();

 private:
  NetworkPair() = default;
  [[nodiscard]] bool set_up(const Wire& wire, std::string& why);
  [[nodiscard]] std::uint64_t counter(int field) const;

  pid_t aggregator_ = -1;  // processes that hold the namespaces
  pid_t device_ = -1;
  int moves_ = 0;
};

}  // namespace hansa::testing
