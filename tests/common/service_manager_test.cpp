#include "common/service_manager.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

#include "tests/temporary_folder.h"

namespace hansa {
namespace {

// The service manager's side: a datagram socket.
class Manager {
 public:
  explicit Manager(const std::string& path) : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  }
  // The next message; empty: there is none.
  std::optional<std::string> take() {
    std::array<char, 256> text{};
    const ssize_t n = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
    if (n < 0) return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(n));
  }
  // What systemd sets for the service.
  ServiceManager start(const char* watchdog_us,
                       const std::string& watched = std::to_string(::getpid())) const {
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    ::setenv("WATCHDOG_USEC", watchdog_us, 1);
    ::setenv("WATCHDOG_PID", watched.c_str(), 1);
    return ServiceManager::from_environment();
  }

 private:
  std::string path_;
  Descriptor socket_;
};

constexpr Instant begin{std::chrono::hours(1)};

TEST(ServiceManager, ReportsThatItServesAndWhatItDoes) {
  const TemporaryFolder folder;
  Manager manager((folder / "notify").string());
  ServiceManager service = manager.start("");
  ASSERT_TRUE(service.is_present());
  service.status("round 3\nof 20");
  service.status("round 3\nof 20");  // is not sent twice
  service.ready();
  service.alive(begin);  // there is no watchdog
  EXPECT_EQ(manager.take(), "STATUS=round 3\\x0aof 20") << "one line, which a peer's text cannot leave";
  EXPECT_EQ(manager.take(), "READY=1");
  EXPECT_EQ(manager.take(), std::nullopt);
}

TEST(ServiceManager, ReportsFourTimesInTheTimeOfTheWatchdogThatItIsAlive) {
  Manager manager("@hansa-test-" + std::to_string(::getpid()));
  ServiceManager service = manager.start("20000000");
  for (int ms = 0; ms < 20'000; ms += 500) service.alive(begin + std::chrono::milliseconds(ms));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(manager.take(), "WATCHDOG=1");
  EXPECT_EQ(manager.take(), std::nullopt);
}

TEST(ServiceManager, AWatchdogForAnotherProcessIsNone) {
  const TemporaryFolder folder;
  Manager manager((folder / "notify").string());
  ServiceManager service = manager.start("20000000", "1");
  service.alive(begin);
  EXPECT_EQ(manager.take(), std::nullopt);
}

TEST(ServiceManager, AChildDoesNotInheritTheSocket) {
  const TemporaryFolder folder;
  const Manager manager((folder / "notify").string());
  const ServiceManager service = manager.start("1000000");
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    EXPECT_EQ(std::getenv(name), nullptr) << name;
}

TEST(ServiceManager, WithoutOneNothingHappens) {
  for (const char* socket : {"", "relative", "@", "/nowhere/notify"}) {
    ::setenv("NOTIFY_SOCKET", socket, 1);
    ServiceManager service = ServiceManager::from_environment();
    EXPECT_FALSE(service.is_present()) << socket;
    service.ready();
    service.status("nothing");
    service.alive(begin);
  }
}

}  // namespace
}  // namespace hansa
