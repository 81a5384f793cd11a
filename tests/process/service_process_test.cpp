// What the real programs report to systemd: readiness, signs of life and the status.
#include <algorithm>
#include <array>
#include <csignal>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "common/descriptor.h"
#include "common/files.h"
#include "tests/process/rows_federation.h"

namespace hansa::testing {
namespace {

// The socket of a service manager.
class Manager {
 public:
  explicit Manager(const std::filesystem::path& path)
      : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    EXPECT_LT(path.string().size(), sizeof own.sun_path);
    std::ranges::copy(path.string(), own.sun_path);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    const timeval at_most{60, 0};
    EXPECT_EQ(::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &at_most, sizeof at_most), 0);
  }
  // A program under this manager, whose watchdog waits 400 ms.
  [[nodiscard]] ChildProcess start(const std::string& program, const std::vector<std::string>& arguments,
                                   const std::filesystem::path& log) const {
    std::string command = "NOTIFY_SOCKET=" + path_.string() + " WATCHDOG_USEC=400000 exec " +
                          (program_folder() / program).string();
    for (const std::string& argument : arguments) command += " " + argument;
    return ChildProcess("/bin/sh", {"-c", command}, log);
  }
  // The first message that begins with this and was not returned before. Empty: none came for a minute.
  std::string wait_for(const std::string& start) {
    std::array<char, 4'096> buffer{};
    for (;;) {
      const auto found = std::ranges::find_if(
          messages_, [&](const std::string& message) { return message.starts_with(start); });
      if (found != messages_.end()) {
        const std::string out = *found;
        messages_.erase(found);
        return out;
      }
      const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (n < 0) return {};
      messages_.emplace_back(buffer.data(), static_cast<std::size_t>(n));
    }
  }

 private:
  std::filesystem::path path_;
  Descriptor socket_;
  std::vector<std::string> messages_;
};

class ServicePrograms : public RowsFederation {};

TEST_F(ServicePrograms, TheAggregatorIsReadyWhenItCanBeReachedAndReportsThatItIsAlive) {
  create();
  Manager manager(temporary / "notify");
  auto aggregator = manager.start(
      "hansa-aggregator", {(folder / "federation.toml").string(), "--progress", "plain"}, log("aggregator"));
  ASSERT_EQ(manager.wait_for("READY=1"), "READY=1") << aggregator.output();
  EXPECT_NE(aggregator.output().find("public key"), std::string::npos) << "it can be reached";
  // It is asked to report four times in 400 ms, for as long as it runs.
  for (int i = 0; i < 5; ++i) ASSERT_EQ(manager.wait_for("WATCHDOG="), "WATCHDOG=1") << aggregator.output();
  EXPECT_NE(manager.wait_for("STATUS=round").find("waits for clients"), std::string::npos);
}

TEST_F(ServicePrograms, AClientIsReadyAndReportsThatItIsAliveAndConnected) {
  create();
  auto aggregator = start_aggregator("aggregator");
  Manager manager(temporary / "notify");
  auto client = manager.start("hansa-client", {client_file(1).string()}, log("client"));
  ASSERT_EQ(manager.wait_for("READY=1"), "READY=1") << client.output();
  for (int i = 0; i < 5; ++i) ASSERT_EQ(manager.wait_for("WATCHDOG="), "WATCHDOG=1") << client.output();
  EXPECT_EQ(manager.wait_for("STATUS=connected"), "STATUS=connected to the aggregator") << client.output();
}

}  // namespace
}  // namespace hansa::testing
