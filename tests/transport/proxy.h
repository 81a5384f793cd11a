// A proxy on loopback with SOCKS5 (RFC 1928, no authentication) and HTTP CONNECT, for one connection at a time.
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
  // "HOST:PORT" of the last request; read it when served() > 0.
  [[nodiscard]] std::string target() const { return target_; }
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
