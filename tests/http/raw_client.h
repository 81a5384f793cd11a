// A client that sends the bytes that a test writes, also those that no browser would.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/descriptor.h"

namespace hansa::http {

class RawClient {
 public:
  explicit RawClient(const std::string& address, int receive_buffer = 0) {
    const std::size_t colon = address.rfind(':');
    socket_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer > 0)
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    is_connected_ = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // Reads once. False: the peer has closed, or nothing came for a long time.
  bool receive() {
    pollfd one{socket_.get(), POLLIN, 0};
    if (::poll(&one, 1, 30'000) != 1) return false;
    char bytes[16'384];
    const ssize_t n = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }
  // Everything until the peer closes.
  std::string read_all() {
    while (receive()) {
    }
    return std::exchange(received_, {});
  }
  // What comes up to and with the text; everything if the peer closes before.
  std::string read_until(std::string_view text) {
    std::size_t found = 0;
    while ((found = received_.find(text)) == std::string::npos)
      if (!receive()) return std::exchange(received_, {});
    std::string out = received_.substr(0, found + text.size());
    received_.erase(0, out.size());
    return out;
  }
  // One response with Content-Length: its header and body.
  std::pair<std::string, std::string> read_response() {
    std::string head = read_until("\r\n\r\n");
    const std::size_t at = head.find("Content-Length: ");
    const std::size_t length = at == std::string::npos ? 0 : std::stoull(head.substr(at + 16));
    while (received_.size() < length && receive()) {
    }
    std::string body = received_.substr(0, length);
    received_.erase(0, body.size());
    return {std::move(head), std::move(body)};
  }

 private:
  Descriptor socket_;
  bool is_connected_ = false;
  std::string received_;
};

}  // namespace hansa::http
