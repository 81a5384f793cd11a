#include "tests/transport/proxy.h"

#include <array>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hansa::transport::testing {
namespace {

bool read_exactly(int from, char* to, std::size_t count) {
  for (std::size_t done = 0; done < count;) {
    const ssize_t n = ::recv(from, to + done, count - done, 0);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

void say(int to, std::string_view text) { (void)!::send(to, text.data(), text.size(), MSG_NOSIGNAL); }

int connect_to(const std::string& target) {
  const std::size_t colon = target.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(target.substr(colon + 1))));
  ::inet_pton(AF_INET, target.substr(0, colon).c_str(), &address.sin_addr);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return socket;
  ::close(socket);
  return -1;
}

}  // namespace

Proxy::Proxy(Mood mood) : mood_(mood), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(listener_, 16);
  thread_ = std::thread([this] { serve(); });
}

Proxy::~Proxy() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);  // ends accept()
  thread_.join();
  ::close(listener_);
}

std::string Proxy::host_and_port() const {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

void Proxy::serve() {
  for (;;) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    serve_one(client);
    ::close(client);
  }
}

void Proxy::serve_one(int client) {
  const int target = ask_for_target(client);
  if (target < 0) return;
  ++served_;
  relay(client, target);
  ::close(target);
}

int Proxy::ask_for_target(int client) {
  std::array<char, 512> bytes{};
  if (!read_exactly(client, bytes.data(), 1)) return -1;
  if (bytes[0] == 5) {
    // First the methods; then version, command, reserved, address type, address, port.
    if (!read_exactly(client, bytes.data(), 1) ||
        !read_exactly(client, bytes.data() + 1, static_cast<unsigned char>(bytes[0])))
      return -1;
    say(client, std::string_view("\5\0", 2));
    if (!read_exactly(client, bytes.data(), 4)) return -1;
    std::string host;
    if (bytes[3] == 1) {
      if (!read_exactly(client, bytes.data(), 4)) return -1;
      std::array<char, INET_ADDRSTRLEN> text{};
      ::inet_ntop(AF_INET, bytes.data(), text.data(), text.size());
      host = text.data();
    } else {
      if (!read_exactly(client, bytes.data(), 1)) return -1;
      host.resize(static_cast<unsigned char>(bytes[0]));
      if (!read_exactly(client, host.data(), host.size())) return -1;
    }
    if (!read_exactly(client, bytes.data(), 2)) return -1;
    const unsigned port = static_cast<unsigned char>(bytes[0]) * 256U + static_cast<unsigned char>(bytes[1]);
    target_ = host + ":" + std::to_string(port);
    const int target = mood_ == Mood::helps ? connect_to(target_) : -1;
    say(client, target >= 0 ? std::string_view("\5\0\0\1\0\0\0\0\0\0", 10)
                            : std::string_view("\5\2\0\1\0\0\0\0\0\0", 10));
    return target;
  }
  std::string request(1, bytes[0]);
  while (request.find("\r\n\r\n") == std::string::npos) {
    if (!read_exactly(client, bytes.data(), 1)) return -1;
    request.push_back(bytes[0]);
  }
  if (!request.starts_with("CONNECT ")) return -1;
  target_ = request.substr(8, request.find(' ', 8) - 8);
  const int target = mood_ == Mood::helps ? connect_to(target_) : -1;
  say(client, target >= 0 ? "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"
                          : "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  return target;
}

void Proxy::relay(int client, int target) const {
  std::array<char, 65'536> bytes{};
  while (!stopping_) {
    std::array<pollfd, 2> items{{{client, POLLIN, 0}, {target, POLLIN, 0}}};
    if (::poll(items.data(), items.size(), 10) <= 0) continue;
    for (const auto& [from, to] : {std::pair{0, target}, std::pair{1, client}}) {
      if (items[static_cast<std::size_t>(from)].revents == 0) continue;
      const ssize_t n = ::recv(items[static_cast<std::size_t>(from)].fd, bytes.data(), bytes.size(), 0);
      if (n <= 0) return;
      for (ssize_t sent = 0; sent < n;) {
        const ssize_t m = ::send(to, bytes.data() + sent, static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
        if (m <= 0) return;
        sent += m;
      }
    }
  }
}

}  // namespace hansa::transport::testing
