#include "protocols/transport/internal/proxy_tunnel.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hansa::transport {
namespace {

constexpr std::size_t answer_bytes_max = 16 * 1024;
constexpr std::size_t buffer_bytes = 64 * 1024;

tl::unexpected<Error> wrong(std::string what) { return fail(ErrorCode::network, "", std::move(what)); }

bool set_nonblocking(int descriptor) {
  return ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0;
}

// One direction of the tunnel, with the bytes that were read from one end and not yet written to the other.
struct OneWay {
  int from, to;
  std::array<char, buffer_bytes> buffer;
  std::size_t begin = 0, end = 0;
  bool over = false;  // the source has ended, and all of its bytes were written

  // Returns false if the connection is broken.
  bool move() {
    if (begin == end && !over) {
      const ssize_t n = ::read(from, buffer.data(), buffer.size());
      if (n < 0) return errno == EAGAIN || errno == EINTR;
      begin = 0;
      end = static_cast<std::size_t>(n);
      if (n == 0) {
        over = true;
        ::shutdown(to, SHUT_WR);
      }
    }
    while (begin < end) {
      const ssize_t n = ::send(to, buffer.data() + begin, end - begin, MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN || errno == EINTR;
      begin += static_cast<std::size_t>(n);
    }
    return true;
  }
  [[nodiscard]] bool has_bytes() const { return begin < end; }
};

}  // namespace

HostAndPort host_and_port(const std::string& address) {
  const std::size_t start = address.find("://") + 3, colon = address.rfind(':');
  HostAndPort out{address.substr(start, colon - start), address.substr(colon + 1)};
  if (out.host.size() > 2 && out.host.front() == '[') out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

Result<std::unique_ptr<ProxyTunnel>> ProxyTunnel::open(ProxyKind kind, const HostAndPort& proxy,
                                                       const HostAndPort& target) {
  const auto out_of_resources = [](const char* what) {
    return fail(ErrorCode::resource, "proxy", fmt::format("{} ({})", what, std::strerror(errno)),
                "raise the limits of open files and threads (ulimit -n, ulimit -u)");
  };
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!listener || ::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), generic, &size) != 0)
    return out_of_resources("cannot open a port for its tunnel");
  const std::string local = fmt::format("tcp://127.0.0.1:{}", ntohs(address.sin_port));
  try {
    return std::unique_ptr<ProxyTunnel>(new ProxyTunnel(kind, proxy, target, std::move(listener), local));
  } catch (const std::system_error&) {
    return out_of_resources("cannot start a thread for its tunnel");
  }
}

ProxyTunnel::ProxyTunnel(ProxyKind kind, HostAndPort proxy, HostAndPort target, Descriptor listener,
                         std::string local_address)
    : kind_(kind),
      proxy_(std::move(proxy)),
      target_(std::move(target)),
      listener_(std::move(listener)),
      local_address_(std::move(local_address)),
      thread_([this] { serve(); }) {}

ProxyTunnel::~ProxyTunnel() {
  stop_.notify();
  thread_.join();
}

std::string ProxyTunnel::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool ProxyTunnel::wait(int descriptor, short events) const {
  std::array<pollfd, 2> items{{{descriptor, events, 0}, {stop_.get(), POLLIN, 0}}};
  for (;;) {
    if (::poll(items.data(), items.size(), -1) < 0 && errno == EINTR) continue;
    return items[1].revents == 0;
  }
}

void ProxyTunnel::serve() {
  if (!wait(listener_.get(), POLLIN)) return;
  const Descriptor local(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!local) return;
  auto proxy = reach_proxy();
  auto answer = !proxy                     ? Result<std::string>(tl::unexpected<Error>(proxy.error()))
                : kind_ == ProxyKind::http ? connect_http(*proxy)
                                           : connect_socks(*proxy);
  if (!answer) {
    const std::lock_guard lock(mutex_);
    failure_ = answer.error().what;
    return;  // closes the channel's connection
  }
  carry(local, *proxy, std::move(*answer));
}

Result<Descriptor> ProxyTunnel::reach_proxy() const {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(proxy_.host.c_str(), proxy_.port.c_str(), &wanted, &found); error != 0)
    return wrong(fmt::format("the proxy {} cannot be resolved ({})", proxy_.host, ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  int error = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    Descriptor socket(
        ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol));
    if (!socket) continue;
    if (::connect(socket.get(), at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS) {
      error = errno;
      continue;
    }
    if (!wait(socket.get(), POLLOUT)) return wrong("the tunnel was closed");
    socklen_t size = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) continue;
    const int one = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return socket;
  }
  return wrong(
      fmt::format("the proxy {}:{} cannot be reached ({})", proxy_.host, proxy_.port, std::strerror(error)));
}

Result<void> ProxyTunnel::write(const Descriptor& proxy, std::string_view text) const {
  while (!text.empty()) {
    if (!wait(proxy.get(), POLLOUT)) return wrong("the tunnel was closed");
    const ssize_t n = ::send(proxy.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return wrong("the proxy closed the connection");
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> ProxyTunnel::read(const Descriptor& proxy, std::string& text, std::size_t size) const {
  const std::size_t wanted = text.size() + size;
  while (text.size() < wanted) {
    if (!wait(proxy.get(), POLLIN)) return wrong("the tunnel was closed");
    std::array<char, 4096> part{};
    const ssize_t n = ::read(proxy.get(), part.data(), part.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return wrong("the proxy closed the connection without an answer");
    text.append(part.data(), static_cast<std::size_t>(n));
  }
  return {};
}

Result<std::string> ProxyTunnel::connect_http(const Descriptor& proxy) const {
  const bool v6 = target_.host.find(':') != std::string::npos;
  const std::string host = (v6 ? "[" + target_.host + "]:" : target_.host + ":") + target_.port;
  HANSA_TRY_VOID(write(proxy, fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", host)));
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos) {
    if (answer.size() > answer_bytes_max) return wrong("the proxy's answer is not HTTP");
    HANSA_TRY_VOID(read(proxy, answer, 1));
  }
  const std::string line = answer.substr(0, answer.find("\r\n"));
  if (!line.starts_with("HTTP/1.")) return wrong("the proxy's answer is not HTTP");
  if (line.size() < 10 || line[9] != '2')
    return wrong(fmt::format("the proxy refuses to connect to {}: {}", host, line));
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

Result<std::string> ProxyTunnel::connect_socks(const Descriptor& proxy) const {
  // Version 5 with one method, no authentication.
  HANSA_TRY_VOID(write(proxy, std::string_view("\5\1\0", 3)));
  std::string answer;
  HANSA_TRY_VOID(read(proxy, answer, 2));
  if (answer[0] != 5) return wrong("the proxy's answer is not SOCKS5");
  if (answer[1] != 0) return wrong("the proxy requires authentication, which this client does not support");
  // The command CONNECT with an address of 4 or 16 bytes, or a name.
  std::string request("\5\1\0", 3);
  std::array<char, sizeof(in6_addr)> raw{};
  if (::inet_pton(AF_INET, target_.host.c_str(), raw.data()) == 1)
    request += '\1' + std::string(raw.data(), 4);
  else if (::inet_pton(AF_INET6, target_.host.c_str(), raw.data()) == 1)
    request += '\4' + std::string(raw.data(), 16);
  else request += '\3' + std::string(1, static_cast<char>(target_.host.size())) + target_.host;
  const unsigned port = static_cast<unsigned>(std::stoul(target_.port));
  request += static_cast<char>(port >> 8);
  request += static_cast<char>(port & 0xFF);
  HANSA_TRY_VOID(write(proxy, request));
  answer.erase(0, 2);
  if (answer.size() < 5) HANSA_TRY_VOID(read(proxy, answer, 5 - answer.size()));
  if (answer[0] != 5) return wrong("the proxy's answer is not SOCKS5");
  if (answer[1] != 0) {
    constexpr std::array reasons{"",
                                 "general failure",
                                 "forbidden by its rules",
                                 "network unreachable",
                                 "host unreachable",
                                 "connection refused",
                                 "timeout"};
    const auto code = static_cast<unsigned char>(answer[1]);
    return wrong(fmt::format("the proxy cannot connect to {}:{}: {}", target_.host, target_.port,
                             code < reasons.size() ? reasons[code] : "unknown reason"));
  }
  const std::size_t address = answer[3] == 1   ? 4
                              : answer[3] == 4 ? 16
                                               : 1U + static_cast<unsigned char>(answer[4]);
  const std::size_t size = 4 + address + 2;
  if (answer.size() < size) HANSA_TRY_VOID(read(proxy, answer, size - answer.size()));
  return answer.substr(size);
}

void ProxyTunnel::carry(const Descriptor& local, const Descriptor& proxy, std::string first) const {
  if (!set_nonblocking(local.get())) return;
  const auto up = std::make_unique<OneWay>(), down = std::make_unique<OneWay>();
  up->from = down->to = local.get();
  up->to = down->from = proxy.get();
  std::memcpy(down->buffer.data(), first.data(), std::min(first.size(), buffer_bytes));
  down->end = std::min(first.size(), buffer_bytes);
  while (!(up->over && down->over)) {
    if (!up->move() || !down->move()) return;
    const auto events = [](const OneWay& in, const OneWay& out) {
      return static_cast<short>((in.has_bytes() || in.over ? 0 : POLLIN) | (out.has_bytes() ? POLLOUT : 0));
    };
    std::array<pollfd, 3> items{{{local.get(), events(*up, *down), 0},
                                 {proxy.get(), events(*down, *up), 0},
                                 {stop_.get(), POLLIN, 0}}};
    if (::poll(items.data(), items.size(), -1) < 0 && errno != EINTR) return;
    if (items[2].revents != 0) return;
    if (((items[0].revents | items[1].revents) & (POLLERR | POLLNVAL)) != 0) return;
  }
}

}  // namespace hansa::transport
