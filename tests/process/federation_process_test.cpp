// The shipped programs on real data over real sockets, with processes killed in the middle.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <regex>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/process/child_process.h"

namespace hansa::testing {
namespace {

using std::chrono::seconds;

// A folder made by `hansa new --example fashion-mnist`: three clients, few examples each.
class FederationFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
      GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
    std::string pattern = ::testing::TempDir() + "/hansa-process-XXXXXX";
    folder = std::filesystem::path(::mkdtemp(pattern.data())) / "federation";
    ChildProcess made(
        "hansa", {"new", folder.string(), "--example", "fashion-mnist", "--clients", "3", "--rounds", "4"},
        log("new"));
    ASSERT_EQ(made.wait(seconds(60)), 0) << made.output();
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    for (int i = 1; i <= 3; ++i) replace(client_file(i), "\\[data\\]", "[data]\nexamples_max = 1500");
  }
  void TearDown() override {
    if (!folder.empty()) std::filesystem::remove_all(folder.parent_path());
  }

  [[nodiscard]] std::filesystem::path log(const std::string& name) const {
    return folder.parent_path() / (name + ".log");
  }
  [[nodiscard]] std::filesystem::path client_file(int i) const {
    return folder / "clients" / ("client-0" + std::to_string(i) + ".toml");
  }
  static void replace(const std::filesystem::path& file, const std::string& what, const std::string& with) {
    auto text = read_text_file(file, 1 << 20);
    ASSERT_TRUE(text.has_value()) << text.error().text();
    const std::string changed = std::regex_replace(*text, std::regex(what), with);
    ASSERT_TRUE(write_file_atomically(file, changed).has_value());
  }
  // Starts the aggregator and points the clients at the port it got.
  ChildProcess start_aggregator(const std::string& name) {
    ChildProcess aggregator("hansa-aggregator",
                            {(folder / "federation.toml").string(), "--progress", "plain"}, log(name));
    EXPECT_TRUE(aggregator.wait_for_output("public key", seconds(60))) << aggregator.output();
    std::smatch match;
    const std::string output = aggregator.output();
    EXPECT_TRUE(std::regex_search(output, match, std::regex("at (tcp://127.0.0.1:[0-9]+)"))) << output;
    for (int i = 1; i <= 3; ++i)
      replace(client_file(i), "address = \"[^\"]*\"", "address = \"" + match[1].str() + "\"");
    return aggregator;
  }
  ChildProcess start_client(int i) {
    return ChildProcess("hansa-client", {client_file(i).string()}, log("client-" + std::to_string(i)));
  }
  static std::string line(const std::string& output, const std::string& start) {
    const auto at = output.rfind("\n" + start);
    return at == std::string::npos ? "" : output.substr(at + 1, output.find('\n', at + 1) - at - 1);
  }

  std::filesystem::path folder;
};

TEST_F(FederationFolder, RealProcessesAndSimulationsMakeTheSameModelBitForBit) {
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
  ASSERT_EQ(aggregator.wait(seconds(100)), 0) << aggregator.output();
  for (auto& client : clients) EXPECT_EQ(client.wait(seconds(20)), 0) << client.output();
  const std::string model = line(aggregator.output(), "final model: ");
  ASSERT_FALSE(model.empty()) << aggregator.output();
  EXPECT_NE(line(aggregator.output(), "final test accuracy: "), "");

  int number = 0;
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--threads", "1"}, {"--threads", "3", "--arrival-seed", "5"}}) {
    std::vector<std::string> arguments{"simulate", (folder / "federation.toml").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    ChildProcess simulation("hansa", arguments, log("simulation-" + std::to_string(number++)));
    ASSERT_EQ(simulation.wait(seconds(100)), 0) << simulation.output();
    EXPECT_EQ(line(simulation.output(), "final model: "), model);
  }
}

TEST_F(FederationFolder, KilledAggregatorGoesOnAfterTheLastCommittedRoundAndClientsComeBack) {
  std::vector<ChildProcess> clients;
  std::string first_rounds;
  {
    auto aggregator = start_aggregator("aggregator-1");
    for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
    ASSERT_TRUE(aggregator.wait_for_output("round   2 of 4", seconds(60))) << aggregator.output();
    aggregator.signal(SIGKILL);
    ASSERT_EQ(aggregator.wait(seconds(10)), -SIGKILL);
    first_rounds = aggregator.output();
  }
  auto aggregator = start_aggregator("aggregator-2");  // another port: the clients reread their files
  ASSERT_EQ(aggregator.wait(seconds(100)), 0) << aggregator.output();
  EXPECT_NE(aggregator.output().find("going on after round "), std::string::npos) << aggregator.output();
  EXPECT_EQ(aggregator.output().find("round   1 of 4"), std::string::npos) << "round 1 was lost";
  for (auto& client : clients) EXPECT_EQ(client.wait(seconds(20)), 0) << client.output();
}

TEST_F(FederationFolder, KilledClientLosesNoRoundAndALateOneJoins) {
  auto aggregator = start_aggregator("aggregator");
  replace(folder / "federation.toml", "never matches", "");
  auto one = start_client(1);
  auto two = start_client(2);
  {
    auto three = start_client(3);
    ASSERT_TRUE(aggregator.wait_for_output("round   1 of 4", seconds(60))) << aggregator.output();
    three.signal(SIGKILL);
    ASSERT_EQ(three.wait(seconds(10)), -SIGKILL);
  }
  auto late = start_client(3);
  ASSERT_EQ(aggregator.wait(seconds(100)), 0) << aggregator.output();
  EXPECT_NE(line(aggregator.output(), "final model: "), "");
}

TEST_F(FederationFolder, TerminatedAggregatorSaysWhereItStoppedAndExitsCleanly) {
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
  ASSERT_TRUE(aggregator.wait_for_output("round   1 of 4", seconds(60))) << aggregator.output();
  aggregator.signal(SIGTERM);
  ASSERT_EQ(aggregator.wait(seconds(20)), 0) << aggregator.output();
  EXPECT_NE(aggregator.output().find("stopped after round "), std::string::npos) << aggregator.output();
  clients[0].signal(SIGTERM);
  EXPECT_EQ(clients[0].wait(seconds(20)), 0) << clients[0].output();
}

TEST_F(FederationFolder, ClientWithAKeyThatIsNotAdmittedIsToldSo) {
  auto aggregator = start_aggregator("aggregator");
  std::filesystem::remove(folder / "admitted" / "client-02.pub");
  auto client = start_client(2);
  EXPECT_TRUE(client.wait_for_output("admit", seconds(20))) << client.output();
  EXPECT_TRUE(aggregator.wait_for_output("admit", seconds(20))) << aggregator.output();
}

}  // namespace
}  // namespace hansa::testing
