#include "tests/transport/stranger.h"

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace hansa::transport::testing {
namespace {

int listen_on_loopback() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(listener, 16);
  return listener;
}

std::string address_of(int listener) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  return "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

}  // namespace

Stranger::Stranger(Habit habit)
    : habit_(habit), listener_(listen_on_loopback()), thread_([this] { serve(); }) {}

Stranger::~Stranger() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);  // ends accept()
  thread_.join();
  ::close(listener_);
}

std::string Stranger::address() const { return address_of(listener_); }

void Stranger::serve() {
  for (;;) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    serve_one(connection);
    ::close(connection);
  }
}

void Stranger::serve_one(int connection) const {
  if (habit_ == Habit::hangs_up) return;
  std::array<char, 512> buffer{};
  while (!stopping_) {
    pollfd readable{connection, POLLIN, 0};
    if (::poll(&readable, 1, 10) <= 0) continue;
    const ssize_t n = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (n <= 0) return;
    if (habit_ == Habit::says_nothing) continue;
    constexpr std::string_view http =
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const std::string_view answer =
        habit_ == Habit::answers_http ? http : std::string_view(buffer.data(), static_cast<std::size_t>(n));
    ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (habit_ == Habit::answers_http) return;
  }
}

std::string dead_address() {
  const int listener = listen_on_loopback();
  std::string address = address_of(listener);
  ::close(listener);
  return address;
}

}  // namespace hansa::transport::testing
