// Secure aggregation in the real programs, with clients and the aggregator killed in selected phases.
#include <csignal>
#include <map>
#include <regex>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

class SecureFolder : public ProgramTest {
 protected:
  static constexpr int clients = 6;
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
      GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
    run("hansa", {"new", folder.string(), "--example", "fashion-mnist", "--clients", "6", "--rounds", "4"},
        "new");
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    replace(folder / "federation.toml", "clients_min = [0-9]+", "clients_min = 3");
    replace(folder / "federation.toml", "quorum = [0-9.]+", "quorum = 0.5");
    replace(folder / "federation.toml", "\\[secure_aggregation\\]",
            "[secure_aggregation]\nphase_s = 10\nhonest_min = 2");
    // Three of the six are killed.
    for (int i = 1; i <= clients; ++i)
      replace(client_file(i), "\\[secure_aggregation\\]", "[secure_aggregation]\nhonest_min = 2");
    // The sixth client trains for long enough to be killed during training.
    for (int i = 1; i < clients; ++i) replace(client_file(i), "\\[data\\]", "[data]\nexamples_max = 3000");
  }
  ChildProcess start_loud_client(int i) {
    return ChildProcess("hansa-client", {client_file(i).string(), "--log-level", "debug"},
                        log("client-" + std::to_string(i)));
  }
  nlohmann::json status(const std::string& aggregator_output) {
    const std::string run_folder = line(aggregator_output, "run folder: ").substr(12);
    return nlohmann::json::parse(run("hansa", {"status", run_folder, "--json"}, "status"));
  }
};

TEST_F(SecureFolder, ClientsKilledInEachPhaseLoseNoRound) {
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> members;
  for (int i = 1; i <= clients; ++i) members.push_back(start_loud_client(i));
  // In the first round a client is killed between its shares and its masked update, so its masks must be reconstructed.
  // In the second round one is killed after sending its masked update, in the third after revealing its shares.
  ASSERT_TRUE(members[5].wait_for_output("has its neighbours' shares", seconds(60))) << members[5].output();
  members[5].signal(SIGKILL);
  ASSERT_TRUE(aggregator.wait_for_output("round   1 of 4", seconds(60))) << aggregator.output();
  ASSERT_TRUE(members[4].wait_for_output("round 2, sum", seconds(60))) << members[4].output();
  members[4].signal(SIGKILL);
  ASSERT_TRUE(members[3].wait_for_output("round 3, sum", seconds(60))) << members[3].output();
  members[3].signal(SIGKILL);
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(members[static_cast<std::size_t>(i)].wait(seconds(60)), 0);

  const auto rounds = status(aggregator.output())["rounds"];
  ASSERT_EQ(rounds.size(), 4U);
  EXPECT_GE(rounds[0]["secure"]["recovered"].get<int>(), 1) << rounds[0].dump(1);
  EXPECT_EQ(rounds[0]["counted"], 5);
  EXPECT_EQ(rounds[3]["counted"], 3);
  for (const auto& round : rounds) {
    EXPECT_GT(round["secure"]["examples"].get<int>(), 0);
    for (const auto& part : round["participations"]) EXPECT_FALSE(part.contains("examples")) << part.dump(1);
  }
}

TEST_F(SecureFolder, AKilledAggregatorRestartsItsRoundAndNoSumIsUnmaskedTwice) {
  std::vector<ChildProcess> members;
  {
    auto aggregator = start_aggregator("aggregator-1");
    for (int i = 1; i <= clients; ++i) members.push_back(start_loud_client(i));
    ASSERT_TRUE(aggregator.wait_for_output("round   1 of 4", seconds(60))) << aggregator.output();
    ASSERT_TRUE(members[0].wait_for_output("round 2, sum", seconds(60))) << members[0].output();
    aggregator.signal(SIGKILL);
    ASSERT_EQ(aggregator.wait(seconds(30)), -SIGKILL);
  }
  auto aggregator = start_aggregator("aggregator-2");
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  std::map<std::string, std::set<std::string>> sums_of_round;
  for (int i = 0; i < clients; ++i) {
    auto& member = members[static_cast<std::size_t>(i)];
    EXPECT_EQ(member.wait(seconds(60)), 0) << member.output();
    std::multiset<std::string> revealed;
    const std::string output = member.output();
    const std::regex pattern("round ([0-9]+), sum ([0-9a-f]+): reveals the shares");
    for (std::sregex_iterator at(output.begin(), output.end(), pattern), end; at != end; ++at) {
      revealed.insert((*at)[2].str());
      sums_of_round[(*at)[1].str()].insert((*at)[2].str());
    }
    EXPECT_GE(revealed.size(), 3U) << output;
    for (const std::string& sum : revealed)
      EXPECT_EQ(revealed.count(sum), 1U) << "client " << i + 1 << ", sum " << sum;
  }
  const auto rounds = status(aggregator.output())["rounds"];
  ASSERT_EQ(rounds.size(), 4U);
  for (const auto& [round, sums] : sums_of_round) {
    if (round == "2") continue;  // its first attempt may also have reached this phase
    EXPECT_EQ(sums.size(), 1U) << "round " << round;
  }
}

TEST_F(SecureFolder, WorksAgainstAnActiveAggregatorToo) {
  replace(folder / "federation.toml", "\\[secure_aggregation\\]",
          "[secure_aggregation]\nthreat_model = \"active\"");
  for (int i = 1; i <= clients; ++i)
    replace(client_file(i), "\\[secure_aggregation\\]", "[secure_aggregation]\nthreat_model = \"active\"");
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> members;
  for (int i = 1; i <= clients; ++i) members.push_back(start_loud_client(i));
  ASSERT_TRUE(members[5].wait_for_output("sends its shares", seconds(60))) << members[5].output();
  members[5].signal(SIGKILL);
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  const auto rounds = status(aggregator.output())["rounds"];
  ASSERT_EQ(rounds.size(), 4U);
  for (const auto& round : rounds) EXPECT_EQ(round["counted"], 5) << round.dump(1);
}

// Neither program is restarted.
TEST_F(SecureFolder, AClientWithoutACertificateReportsItAndTakesPartOnceItIsCertified) {
  run("hansa", {"keys", "public", (site(6) / "client.key").string()}, "public");
  std::filesystem::rename(site(6) / "client.pub", folder / "admitted/client-06.pub");
  auto aggregator = start_aggregator("aggregator");
  auto six = start_client(6);
  ASSERT_TRUE(aggregator.wait_for_output(
      "client-06.pub: contains no certificate; certify it: hansa keys certify", seconds(60)))
      << aggregator.output();
  ASSERT_TRUE(six.wait_for_output("not certified for federation federation", seconds(60))) << six.output();
  EXPECT_NE(six.output().find("hansa keys certify --root ROOT.key --federation federation client-06.pub"),
            std::string::npos)
      << six.output();
  run("hansa",
      {"keys", "certify", "--root", (folder / "keys/root.key").string(), "--federation", "federation",
       (folder / "admitted/client-06.pub").string()},
      "certify");
  ASSERT_TRUE(aggregator.wait_for_output("client-06 has a certificate now", seconds(60)))
      << aggregator.output();
  std::vector<ChildProcess> others;
  for (int i = 1; i < clients; ++i) others.push_back(start_client(i));
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  EXPECT_EQ(six.wait(seconds(60)), 0) << six.output();
  EXPECT_NE(six.output().find("trained on"), std::string::npos) << six.output();
}

}  // namespace
}  // namespace hansa::testing
