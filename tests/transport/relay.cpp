#include "tests/transport/relay.h"

#include <array>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hansa::transport::testing {
namespace {

constexpr int look_interval_ms = 20;  // at release() and at the end

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &out.sin_addr);
  return out;
}

int connect_from(const std::string& from, const std::string& target) {
  const std::size_t host = target.find("://") + 3, colon = target.rfind(':');
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in own = address_of(from, 0);
  const sockaddr_in to = address_of(target.substr(host, colon - host),
                                    static_cast<std::uint16_t>(std::stoul(target.substr(colon + 1))));
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0 &&
      ::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0)
    return socket;
  ::close(socket);
  return -1;
}

}  // namespace

Relay::Relay(const RelayPlan& plan)
    : plan_(plan), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in own = address_of("127.0.0.1", 0);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      ::listen(listener_, 16) != 0)
    throw std::runtime_error("the relay has no port");
  thread_ = std::thread([this] { serve(); });
}

Relay::~Relay() {
  stopping_ = true;
  thread_.join();
  for (const Pair& pair : pairs_) {
    ::close(pair.client);
    ::close(pair.target);
  }
  ::close(listener_);
}

std::string Relay::address() const {
  sockaddr_in own{};
  socklen_t length = sizeof own;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &length);
  return "tcp://127.0.0.1:" + std::to_string(ntohs(own.sin_port));
}

void Relay::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int target = connect_from(plan_.from, plan_.target);
  if (target < 0) ::close(client);
  else pairs_.push_back({client, target});
}

bool Relay::forward(int from, int to, bool to_target) {
  std::array<char, 16'384> buffer{};
  const ssize_t n = ::recv(from, buffer.data(), buffer.size(), 0);
  if (n <= 0) return false;
  if (to_target) forwarded_ += static_cast<std::uint64_t>(n);
  for (ssize_t sent = 0; sent < n;) {
    const ssize_t part = ::send(to, buffer.data() + sent, static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
    if (part <= 0) return false;
    sent += part;
  }
  return true;
}

void Relay::serve() {
  while (!stopping_) {
    std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
    const bool open = may_forward();
    for (const Pair& pair : pairs_) {
      // What is held is looked at, and not read.
      waiting.push_back({pair.client, POLLIN, 0});
      waiting.push_back({pair.target, POLLIN, 0});
    }
    ::poll(waiting.data(), waiting.size(), look_interval_ms);
    if (waiting[0].revents != 0) accept_one();
    bool only_held = true;
    for (std::size_t i = 0, at = 1; at + 1 < waiting.size(); at += 2) {
      const Pair pair = pairs_[i];
      bool alive = true;
      if (waiting[at].revents != 0) {
        if (open) alive = forward(pair.client, pair.target, true);
        else is_holding_ = true;
        only_held = only_held && !open;
      }
      if (waiting[at + 1].revents != 0) {
        alive = alive && forward(pair.target, pair.client, false);
        only_held = false;
      }
      if (alive) {
        ++i;
        continue;
      }
      ::close(pair.client);
      ::close(pair.target);
      pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    // Otherwise held bytes would make every poll() return at once.
    if (is_holding_ && !is_released_ && only_held) ::poll(nullptr, 0, look_interval_ms);
  }
}

}  // namespace hansa::transport::testing
