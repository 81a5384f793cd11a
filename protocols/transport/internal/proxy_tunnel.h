// A connection through a proxy: SOCKS5 (RFC 1928, without authentication) or HTTP's CONNECT (RFC 9110, section 9.3.6).
//
// libzmq 4.3.4 supports SOCKS5, but terminates the process if the proxy refuses ("Bad file descriptor", epoll.cpp), and
// does not support HTTP. The tunnel listens on a loopback port for the one connection of its channel, asks the proxy to
// connect to the target, and then forwards bytes in both directions. CURVE protects them from being read or modified.
// The tunnel has its own thread, which the destructor stops.
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
// Splits "tcp://HOST:PORT", "http://HOST:PORT" or the like. check_address or check_proxy must have accepted it.
[[nodiscard]] HostAndPort host_and_port(const std::string& address);

enum class ProxyKind : std::uint8_t { http, socks5 };

class ProxyTunnel {
 public:
  // Fails with `resource` if no port can be opened or no thread started.
  [[nodiscard]] static Result<std::unique_ptr<ProxyTunnel>> open(ProxyKind kind, const HostAndPort& proxy,
                                                                 const HostAndPort& target);
  ~ProxyTunnel();
  ProxyTunnel(const ProxyTunnel&) = delete;
  ProxyTunnel& operator=(const ProxyTunnel&) = delete;

  [[nodiscard]] const std::string& local_address() const { return local_address_; }
  // The reason why the connection through the proxy failed; empty if it has not failed. Thread-safe.
  [[nodiscard]] std::string failure() const;

 private:
  ProxyTunnel(ProxyKind kind, HostAndPort proxy, HostAndPort target, Descriptor listener,
              std::string local_address);
  void serve();
  [[nodiscard]] Result<Descriptor> reach_proxy() const;
  // Asks the proxy to connect to the target. Returns the bytes that arrived after the proxy's answer.
  [[nodiscard]] Result<std::string> connect_http(const Descriptor& proxy) const;
  [[nodiscard]] Result<std::string> connect_socks(const Descriptor& proxy) const;
  [[nodiscard]] Result<void> write(const Descriptor& proxy, std::string_view text) const;
  // Appends at least `size` bytes to `text`.
  [[nodiscard]] Result<void> read(const Descriptor& proxy, std::string& text, std::size_t size) const;
  void carry(const Descriptor& local, const Descriptor& proxy, std::string first) const;
  // Returns false if the tunnel is stopped first.
  [[nodiscard]] bool wait(int descriptor, short events) const;

  ProxyKind kind_;
  HostAndPort proxy_, target_;
  Descriptor listener_;
  std::string local_address_;
  WakeDescriptor stop_;
  mutable std::mutex mutex_;
  std::string failure_;
  std::thread thread_;
};

}  // namespace hansa::transport
