// Forwards TCP connections on loopback, from another address of this machine, or only up to some bytes.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace hansa::transport::testing {

struct RelayPlan {
  std::string target;  // "tcp://127.0.0.1:PORT"
  std::string from = "127.0.0.1";  // the address that the target sees
  // Bytes of all connections towards the target after which no more are forwarded, until release(). 0: no limit.
  std::uint64_t hold_after = 0;
};

class Relay {
 public:
  explicit Relay(const RelayPlan& plan);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  [[nodiscard]] std::string address() const;  // "tcp://127.0.0.1:PORT"
  // The limit is reached, and more bytes wait.
  [[nodiscard]] bool is_holding() const { return is_holding_; }
  void release() { is_released_ = true; }

 private:
  struct Pair {
    int client, target;
  };
  void serve();
  void accept_one();
  [[nodiscard]] bool may_forward() const {
    return plan_.hold_after == 0 || forwarded_ < plan_.hold_after || is_released_;
  }
  // False: one side has ended.
  bool forward(int from, int to, bool to_target);

  RelayPlan plan_;
  int listener_;
  std::vector<Pair> pairs_;
  std::uint64_t forwarded_ = 0;
  std::atomic<bool> is_holding_{false}, is_released_{false}, stopping_{false};
  std::thread thread_;
};

}  // namespace hansa::transport::testing
