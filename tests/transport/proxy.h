// A proxy on loopback that speaks SOCKS5 (RFC 1928, no authentication) and HTTP's CONNECT, for one connection after the other.
#pragma once
#include <atomic>
#include <string>
#include <thread>

namespace hansa::transport::testing {

class Proxy {
 public:
  enum class Mood { helps, refuses };
  explicit Proxy(Mood mood);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  [[nodiscard]] std::string host_and_port() const;
  [[nodiscard]] std::string target() const {
    return target_;
  }  // "HOST:PORT" of the last; read when served() > 0
  [[nodiscard]] int served() const { return served_; }

 private:
  void serve();
  void serve_one(int client);
  int ask_for_target(int client);  // a connection to the target, or -1
  void relay(int client, int target) const;

  Mood mood_;
  int listener_;
  std::string target_;
  std::atomic<int> served_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace hansa::transport::testing
