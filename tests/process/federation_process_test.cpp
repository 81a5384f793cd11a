// The real programs on real data over real sockets, with processes killed during rounds.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <regex>

#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

// A folder created by `hansa new --example fashion-mnist`, with three clients and few examples for each.
class FederationFolder : public ProgramTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
      GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
    run("hansa", {"new", folder.string(), "--example", "fashion-mnist", "--clients", "3", "--rounds", "4"},
        "new");
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    for (int i = 1; i <= 3; ++i) replace(client_file(i), "\\[data\\]", "[data]\nexamples_max = 1500");
  }
};

TEST_F(FederationFolder, RealProcessesAndSimulationsGiveTheSameModelBitForBit) {
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  for (auto& client : clients) EXPECT_EQ(client.wait(seconds(60)), 0) << client.output();
  const std::string model = line(aggregator.output(), "final model: ");
  ASSERT_FALSE(model.empty()) << aggregator.output();
  EXPECT_NE(line(aggregator.output(), "final test accuracy: "), "");
  EXPECT_NE(line(aggregator.output(), "final training loss: "), "");
  EXPECT_NE(line(aggregator.output(), "best: round "), "");
  // Each event has its time, because the output is no terminal.
  EXPECT_TRUE(std::regex_search(
      aggregator.output(),
      std::regex("\n20[0-9-]+T[0-9:.]+[+-][0-9:]{5} round   1 of 4: .*; training: loss [0-9.]+, accuracy ")))
      << aggregator.output();

  int number = 0;
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--threads", "1"}, {"--threads", "3", "--arrival-seed", "5"}}) {
    std::vector<std::string> arguments{"simulate", (folder / "federation.toml").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const std::string output = run("hansa", arguments, "simulation-" + std::to_string(number++));
    EXPECT_EQ(line(output, "final model: "), model);
  }

  // The next commands of the operator.
  const std::string accuracy = line(aggregator.output(), "final test accuracy: ").substr(21);
  const std::string run_folder = line(aggregator.output(), "run folder: ").substr(12);
  const std::string status = run("hansa", {"status", run_folder}, "status");
  EXPECT_NE(status.find(accuracy), std::string::npos) << status;
  EXPECT_NE(status.find("train loss"), std::string::npos) << status;
  const std::string table =
      run("hansa", {"evaluate", run_folder, (folder / "federation.toml").string()}, "evaluate");
  EXPECT_NE(table.find(accuracy), std::string::npos) << table;
  const std::string archive = (folder / "learnt.pt").string();
  run("hansa", {"model", "export", run_folder, archive}, "export");
  const std::string again =
      run("hansa", {"evaluate", archive, (folder / "federation.toml").string()}, "evaluate-archive");
  EXPECT_NE(again.find(accuracy), std::string::npos) << again;
}

TEST_F(FederationFolder, ANewRunStartsFromACommittedRoundOfAnOldOne) {
  const std::string old =
      line(run("hansa", {"simulate", (folder / "federation.toml").string(), "--rounds", "2"}, "old"),
           "run folder: ")
          .substr(12);
  auto aggregator = start_aggregator("aggregator", {"--from", old + "@1"});
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  const std::string run_folder = line(aggregator.output(), "run folder: ").substr(12);
  const std::string name = std::filesystem::path(old).filename().string();
  EXPECT_NE(run("hansa", {"status", run_folder, "--json"}, "status").find(name + "@1"), std::string::npos);
}

TEST_F(FederationFolder, ASimulatedRunIsNotContinuedAndAStartSaysWhichRunItContinues) {
  const std::string config = (folder / "federation.toml").string();
  const std::string simulated =
      line(run("hansa", {"simulate", config, "--rounds", "1"}, "simulation"), "run folder: ").substr(12);
  EXPECT_EQ(std::filesystem::path(simulated).parent_path().filename(), "simulated");
  std::filesystem::rename(simulated, folder / "runs" / std::filesystem::path(simulated).filename());
  std::string name;
  {
    auto aggregator = start_aggregator("new");
    ASSERT_TRUE(aggregator.wait_for_output("new, because no run of", seconds(60))) << aggregator.output();
    std::smatch match;
    const std::string output = aggregator.output();
    ASSERT_TRUE(std::regex_search(output, match, std::regex("run ([^ :]+): new")));
    name = match[1];
    aggregator.signal(SIGTERM);
    ASSERT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  }
  auto resumed = start_aggregator("resumed", {"--run", name});
  EXPECT_TRUE(
      resumed.wait_for_output("run " + name + ": continuing after round 0 of 4, because --run", seconds(60)))
      << resumed.output();
  ChildProcess refused("hansa-aggregator", {config, "--run", "fashion-1"}, log("refused"));
  EXPECT_EQ(refused.wait(seconds(60)), exit_code(ErrorCode::usage)) << refused.output();
}

TEST_F(FederationFolder, AKilledAggregatorContinuesAfterTheLastCommittedRoundAndClientsReconnect) {
  std::vector<ChildProcess> clients;
  std::string first_rounds;
  {
    auto aggregator = start_aggregator("aggregator-1");
    for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
    ASSERT_TRUE(aggregator.wait_for_output("round   2 of 4", seconds(60))) << aggregator.output();
    aggregator.signal(SIGKILL);
    ASSERT_EQ(aggregator.wait(seconds(30)), -SIGKILL);
    first_rounds = aggregator.output();
  }
  auto aggregator = start_aggregator("aggregator-2");  // on another port: the clients read their files again
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  EXPECT_NE(aggregator.output().find("continuing after round "), std::string::npos) << aggregator.output();
  EXPECT_EQ(aggregator.output().find("round   1 of 4"), std::string::npos) << "round 1 was lost";
  for (auto& client : clients) EXPECT_EQ(client.wait(seconds(60)), 0) << client.output();
}

TEST_F(FederationFolder, AKilledClientLosesNoRoundAndALateOneJoins) {
  auto aggregator = start_aggregator("aggregator");
  auto one = start_client(1);
  auto two = start_client(2);
  {
    auto three = start_client(3);
    ASSERT_TRUE(aggregator.wait_for_output("round   1 of 4", seconds(60))) << aggregator.output();
    three.signal(SIGKILL);
    ASSERT_EQ(three.wait(seconds(30)), -SIGKILL);
  }
  auto late = start_client(3);
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  EXPECT_NE(line(aggregator.output(), "final model: "), "");
}

using AdversaryReportsInProcess = FederationFolder;
TEST_F(AdversaryReportsInProcess, ABadCellStaysOnItsDeviceAndTheOthersContinue) {
  replace(folder / "federation.toml", "clients_(min|expected) = 3", "clients_$1 = 2");
  // Two clients are too few for secure aggregation.
  replace(folder / "federation.toml", "enabled = true", "enabled = false");
  for (int i = 1; i <= 3; ++i)
    replace(client_file(i), "\\[secure_aggregation\\]", "[secure_aggregation]\nrequired = false");
  ASSERT_TRUE(write_file_atomically(folder / "bad.csv", "a,y\n1,0\nMary-Miller-HIV,1\n"));
  replace(client_file(3), "\\[data\\][^\\[]*",
          "[data]\nkind = \"csv\"\nfile = \"../../bad.csv\"\nlabel = \"y\"\n\n");
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> clients;
  clients.push_back(start_client(3));
  ASSERT_TRUE(aggregator.wait_for_output(
      "client-03 connected and cannot train: csv data, line 3, column 1: a value is not a finite number",
      seconds(60)))
      << aggregator.output();
  for (int i = 1; i <= 2; ++i) clients.push_back(start_client(i));
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  for (auto& client : clients) EXPECT_EQ(client.wait(seconds(60)), 0) << client.output();
  EXPECT_EQ(aggregator.output().find("Mary"), std::string::npos) << aggregator.output();
  EXPECT_NE(
      clients[0].output().find("bad.csv:3: column \"a\": is \"Mary-Miller-HIV\", which is not a number"),
      std::string::npos)
      << "the text is in its own log";
}

TEST_F(FederationFolder, ATerminatedAggregatorLogsItsLastRoundAndExitsCleanly) {
  const std::string config = (folder / "federation.toml").string();
  ChildProcess early("hansa-aggregator", {config, "--health"}, log("early"));
  EXPECT_EQ(early.wait(seconds(60)), exit_code(ErrorCode::quorum)) << early.output();
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
  ASSERT_TRUE(aggregator.wait_for_output("round   1 of 4", seconds(60))) << aggregator.output();
  aggregator.signal(SIGTERM);
  ASSERT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  EXPECT_NE(aggregator.output().find("stopped after round "), std::string::npos) << aggregator.output();
  EXPECT_NE(run("hansa-aggregator", {config, "--health"}, "health").find("of 4 is committed"),
            std::string::npos);
  clients[0].signal(SIGTERM);
  EXPECT_EQ(clients[0].wait(seconds(60)), 0) << clients[0].output();
}

// Each refusal is logged on both sides within seconds, and the rounds of the others continue.
TEST_F(FederationFolder, ClientsThatAreRefusedReceiveTheReason) {
  std::filesystem::remove(folder / "admitted" / "client-02.pub");
  auto aggregator = start_aggregator("aggregator");
  auto stranger = start_client(2);
  EXPECT_TRUE(stranger.wait_for_output("does not admit", seconds(60))) << stranger.output();
  EXPECT_TRUE(aggregator.wait_for_output("not admitted", seconds(60))) << aggregator.output();

  replace(client_file(3), "federation = \"[^\"]*\"", "federation = \"another\"");
  auto lost = start_client(3);
  EXPECT_TRUE(lost.wait_for_output("not \"another\"", seconds(60))) << lost.output();
  EXPECT_TRUE(aggregator.wait_for_output("not \"another\"", seconds(60))) << aggregator.output();

  auto first = start_client(1);
  ASSERT_TRUE(aggregator.wait_for_output("client-01 connected", seconds(60))) << aggregator.output();
  replace(client_file(1), "state = \"[^\"]*\"", "state = \"second\"");
  ChildProcess second("hansa-client", {client_file(1).string()}, log("second"));
  EXPECT_TRUE(second.wait_for_output("another live client presents the key", seconds(60))) << second.output();
  EXPECT_TRUE(aggregator.wait_for_output("identity in use", seconds(60))) << aggregator.output();
}

TEST_F(FederationFolder, AClientThatPinsAnotherKeyReportsIt) {
  auto aggregator = start_aggregator("aggregator");
  ChildProcess made("hansa", {"keys", "generate", "other", "--folder", folder.string()}, log("keys"));
  ASSERT_EQ(made.wait(seconds(60)), 0) << made.output();
  replace(client_file(1), "public_key = \"[^\"]*\"", "public_key_file = \"../../other.pub\"");
  auto client = start_client(1);
  EXPECT_TRUE(client.wait_for_output("is probably not its key", seconds(60))) << client.output();
  EXPECT_TRUE(aggregator.wait_for_output("another aggregator's key pinned", seconds(60)))
      << aggregator.output();
}

}  // namespace
}  // namespace hansa::testing
