// A connection through a proxy: SOCKS5 (RFC 1928, without authentication) or HTTP's CONNECT (RFC 9110, section 9.3.6).
//
// libzmq 4.3.4 has SOCKS5 too, but ends the process when the proxy refuses ("Bad file descriptor", epoll.cpp), and no HTTP.
// It listens on a port of the loopback for the one connection of its channel, asks the proxy for a way to the target, and then
// carries bytes both ways, which CURVE keeps from being read or changed. A thread of its own; it ends with the tunnel.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "common/descriptor.h"
#include "common/error.h"
#include "protocols/transport/internal/wake_descriptor.h"

namespace hansa::transport {

struct HostAndPort {
  std::string host;  // without brackets
  std::string port;
};
// Of "tcp://HOST:PORT", "http://HOST:PORT" and the like, that check_address or check_proxy accepted.
[[nodiscard]] HostAndPort host_and_port(const std::string& address);

enum class ProxyKind : std::uint8_t { http, socks5 };

class ProxyTunnel {
 public:
  // Fails (resource) when no port or thread is left.
  [[nodiscard]] static Result<std::unique_ptr<ProxyTunnel>> open(ProxyKind kind, const HostAndPort& proxy,
                                                                 const HostAndPort& target);
  ~ProxyTunnel();
  ProxyTunnel(const ProxyTunnel&) = delete;
  ProxyTunnel& operator=(const ProxyTunnel&) = delete;

  [[nodiscard]] const std::string& local_address() const { return local_address_; }
  // Why there is no way through the proxy; empty: nothing is known against it.
  [[nodiscard]] std::string trouble() const;

 private:
  ProxyTunnel(ProxyKind kind, HostAndPort proxy, HostAndPort target, Descriptor listener,
              std::string local_address);
  void serve();
  [[nodiscard]] Result<Descriptor> reach_proxy() const;
  // Asks for a way to the target; returns what came after the answer.
  [[nodiscard]] Result<std::string> ask_http(const Descriptor& proxy) const;
  [[nodiscard]] Result<std::string> ask_socks(const Descriptor& proxy) const;
  [[nodiscard]] Result<void> say(const Descriptor& proxy, std::string_view text) const;
  // At least so many bytes, added to text.
  [[nodiscard]] Result<void> hear(const Descriptor& proxy, std::string& text, std::size_t size) const;
  void carry(const Descriptor& local, const Descriptor& proxy, std::string first) const;
  // False when the tunnel ends first.
  [[nodiscard]] bool wait(int descriptor, short events) const;

  ProxyKind kind_;
  HostAndPort proxy_, target_;
  Descriptor listener_;
  std::string local_address_;
  WakeDescriptor stop_;
  mutable std::mutex mutex_;
  std::string trouble_;
  std::thread thread_;
};

}  // namespace hansa::transport
