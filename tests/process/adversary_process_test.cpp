// Attacks on a real aggregator by outsiders that only connect, and by clients that the operator removes.
#include <atomic>
#include <csignal>
#include <regex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/descriptor.h"
#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

class AdversaryFolder : public ProgramTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
      GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
    run("hansa", {"new", folder.string(), "--example", "fashion-mnist", "--clients", "3", "--rounds", "4"},
        "new");
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    for (int i = 1; i <= 3; ++i) replace(client_file(i), "\\[data\\]", "[data]\nexamples_max = 500");
  }
};
using AdversaryAdmission = AdversaryFolder;
using AdversaryDescriptors = AdversaryFolder;

// Opens connections and holds the newest 500 of them, until it is destroyed.
class Flood {
 public:
  explicit Flood(std::uint16_t port) : thread_([this, port] { flood(port); }) {}
  ~Flood() {
    stop_ = true;
    thread_.join();
  }
  [[nodiscard]] int made() const { return made_; }

 private:
  void flood(std::uint16_t port) {
    std::vector<Descriptor> held(500);
    for (std::size_t i = 0; !stop_; i = (i + 1) % held.size()) {
      held[i] = Descriptor();
      Descriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(port);
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      (void)::connect(connection.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
      held[i] = std::move(connection);
      ++made_;
    }
  }
  std::atomic<bool> stop_{false};
  std::atomic<int> made_{0};
  std::thread thread_;
};

TEST_F(AdversaryAdmission, ARemovedClientLeavesAtOnceAndIsRefusedAfterARestart) {
  replace(folder / "federation.toml", "rounds = 4", "rounds = 4000");
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
  ASSERT_TRUE(aggregator.wait_for_output("round   1 of 4000", seconds(60))) << aggregator.output();
  std::filesystem::remove(folder / "admitted" / "client-03.pub");
  EXPECT_TRUE(aggregator.wait_for_output("client-03 is gone: the operator removed its key", seconds(10)))
      << aggregator.output();
  EXPECT_TRUE(clients[2].wait_for_output("does not admit", seconds(60))) << clients[2].output();
  aggregator.signal(SIGTERM);
  ASSERT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();

  auto again = start_aggregator("again");
  auto third = start_client(3);
  EXPECT_TRUE(third.wait_for_output("does not admit", seconds(60))) << third.output();
  EXPECT_EQ(again.output().find("client-03 connected"), std::string::npos);
}

TEST_F(AdversaryDescriptors, AFloodOfConnectionsStopsNeitherTheRoundsNorTheEnd) {
  const std::string programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  ChildProcess aggregator("/bin/sh",
                          {"-c", "ulimit -n 400 && exec " + programs + "/hansa-aggregator " +
                                     (folder / "federation.toml").string() + " --progress plain"},
                          log("aggregator"));
  ASSERT_TRUE(aggregator.wait_for_output("public key", seconds(60))) << aggregator.output();
  std::smatch match;
  const std::string output = aggregator.output();
  ASSERT_TRUE(std::regex_search(output, match, std::regex("at (tcp://127.0.0.1:([0-9]+))")));
  for (int i = 1; i <= 3; ++i)
    replace(client_file(i), "address = \"[^\"]*\"", "address = \"" + match[1].str() + "\"");
  const Flood flood(static_cast<std::uint16_t>(std::stoi(match[2].str())));
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
  EXPECT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  EXPECT_NE(aggregator.output().find("round   4 of 4"), std::string::npos) << aggregator.output();
  EXPECT_GT(flood.made(), 1'000);
}

TEST_F(AdversaryDescriptors, AFloodOfConnectionsDoesNotKeepSigtermFromEndingTheProcess) {
  for (int turn = 0; turn < 3; ++turn) {
    auto aggregator = start_aggregator("aggregator-" + std::to_string(turn));
    std::smatch match;
    const std::string output = aggregator.output();
    ASSERT_TRUE(std::regex_search(output, match, std::regex("at tcp://127.0.0.1:([0-9]+)")));
    const Flood flood(static_cast<std::uint16_t>(std::stoi(match[1].str())));
    while (flood.made() < 3'000) std::this_thread::yield();
    aggregator.signal(SIGTERM);
    EXPECT_EQ(aggregator.wait(seconds(30)), 0) << aggregator.output();
  }
}

}  // namespace
}  // namespace hansa::testing
