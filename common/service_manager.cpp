#include "common/service_manager.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>

#include "common/text.h"

namespace hansa {
namespace {

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string out = value == nullptr ? "" : value;
  ::unsetenv(name);
  return out;
}

std::uint64_t number_of(const std::string& text) {
  std::uint64_t out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? out : 0;
}

// A path, or the name of an abstract socket after '@'.
Descriptor connect_to(const std::string& name) {
  sockaddr_un address{};
  if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@'))
    return {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  Descriptor out(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!out || ::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return {};
  return out;
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  const std::string name = take_variable("NOTIFY_SOCKET");
  const std::uint64_t watchdog_us = number_of(take_variable("WATCHDOG_USEC"));
  const std::string watched = take_variable("WATCHDOG_PID");
  ServiceManager out;
  if (name.empty()) return out;
  out.socket_ = connect_to(name);
  constexpr std::uint64_t day_us = 86'400'000'000;
  if (watchdog_us > 0 && watchdog_us <= day_us && (watched.empty() || watched == std::to_string(::getpid())))
    out.interval_ = std::chrono::microseconds(watchdog_us / 4);
  return out;
}

// A message that finds no room is lost: the next sign of life comes soon, and a program never waits for its manager.
void ServiceManager::send(const std::string& message) {
  if (socket_) (void)!::send(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void ServiceManager::ready() {
  if (socket_) (void)!::send(socket_.get(), "READY=1", 7, MSG_NOSIGNAL);  // waits: it is sent only once
}

void ServiceManager::status(std::string_view text) {
  if (!socket_ || text == status_) return;
  status_ = text;
  send("STATUS=" + printable(text));
}

void ServiceManager::alive(Instant now) {
  if (interval_ == Duration::zero() || now < next_) return;
  next_ = now + interval_;
  send("WATCHDOG=1");
}

}  // namespace hansa
