// Methods and optimisers that keep vectors from round to round, in the real programs: kill -9 of clients and of the aggregator
// in the middle of a run changes no bit of the final model.
#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/rows_federation.h"

namespace hansa::testing {
namespace {

class DriftProgram : public RowsFederation {
 protected:
  // All clients take part in each round, and each has other rows. A training takes long enough to be killed in it.
  void create_with(const std::string& strategy) {
    create({.clients = 3, .rounds = 5});
    replace(folder / "federation.toml", "clients_min = [0-9]+", "clients_min = 3");
    replace(folder / "federation.toml", "quorum = [0-9.]+", "quorum = 1.0");
    write(strategy, 3);
  }
  void write(const std::string& strategy, int clients) {
    const std::filesystem::path federation = folder / "federation.toml";
    replace(federation, "epochs = 1\nbatch_size = 32", "epochs = 60\nbatch_size = 1");
    replace(federation, "\\[simulation\\]", strategy + "\n[simulation]");
    for (int client = 1; client <= clients; ++client) {
      std::string rows = "a,b,y\n";
      for (int i = 0; i < 150 + 50 * client; ++i)
        rows += std::to_string(i % 7) + "," + std::to_string((i * client) % 5) + "," +
                std::to_string((i / client) % 2) + "\n";
      const std::string name = "rows-" + std::to_string(client) + ".csv";
      ASSERT_TRUE(write_file_atomically(folder / name, rows));
      replace(client_file(client), "rows\\.csv", name);
    }
  }
  ChildProcess start_loud_client(int i, const std::string& life) {
    return ChildProcess("hansa-client",
                        {client_file(i).string(), "--log-level", "debug", "--log-format", "json"},
                        log("client-" + std::to_string(i) + "-" + life));
  }
  // sent: the update is on its way; the aggregator counts it perhaps, and the client does not learn of it. counted: the client
  // has stored what it keeps of the round.
  enum class Moment : std::uint8_t { sent, counted };
  static void kill(ChildProcess& client, Moment moment, int round) {
    const std::string line = moment == Moment::sent
                                 ? R"("event":"update.sent","message":"sends its update")"
                                 : R"("event":"update.counted","message":"the update is counted")";
    ASSERT_TRUE(client.wait_for_output(line + ",\"round\":" + std::to_string(round) + ",", seconds(100)))
        << client.output();
    client.signal(SIGKILL);
    ASSERT_EQ(client.wait(seconds(30)), -SIGKILL);
  }
  void expect_the_same_model_after_kills() {
    const std::string undisturbed = line(
        run("hansa", {"simulate", (folder / "federation.toml").string()}, "simulation"), "final model: ");
    ASSERT_NE(undisturbed, "");
    std::string before, output;
    {
      auto first = start_aggregator("aggregator-1");
      auto one = start_loud_client(1, "1");
      auto two = start_loud_client(2, "1");
      auto three = start_loud_client(3, "1");
      kill(one, Moment::sent, 1);
      auto one_again = start_loud_client(1, "2");
      ASSERT_TRUE(first.wait_for_output("round   2 of 5", seconds(100))) << first.output();
      first.signal(SIGKILL);
      ASSERT_EQ(first.wait(seconds(30)), -SIGKILL);
      before = first.output();
      auto second = start_aggregator("aggregator-2");
      kill(two, Moment::counted, 3);
      auto two_again = start_loud_client(2, "2");
      kill(three, Moment::sent, 4);
      auto three_again = start_loud_client(3, "2");
      ASSERT_EQ(second.wait(seconds(250)), 0) << second.output();
      output = second.output();
      EXPECT_EQ(output.find("round   1 of 5"), std::string::npos) << "round 1 was lost";
    }
    EXPECT_EQ(line(output, "final model: "), undisturbed) << before << output;
  }
};

TEST_F(DriftProgram, ScaffoldEndsWithTheSameModelAfterKills) {
  create_with("[strategy]\nmethod = \"scaffold\"\n");
  expect_the_same_model_after_kills();
}

TEST_F(DriftProgram, FedDynEndsWithTheSameModelAfterKills) {
  create_with("[strategy]\nmethod = \"feddyn\"\n[strategy.feddyn]\nalpha = 0.1\n");
  expect_the_same_model_after_kills();
}

TEST_F(DriftProgram, FedAdamEndsWithTheSameModelAfterKills) {
  create_with("[strategy]\nserver_optimizer = \"fedadam\"\n");
  expect_the_same_model_after_kills();
}

// A secure sum has the changes of the variates as further segments.
TEST_F(DriftProgram, ScaffoldInSecureSumsContinuesAfterKills) {
  constexpr int clients = 5;
  create({.clients = clients, .rounds = 4, .clients_min = 3});
  replace(folder / "federation.toml", "quorum = [0-9.]+", "quorum = 0.6");
  replace(folder / "federation.toml", "\\[secure_aggregation\\]", "[secure_aggregation]\nphase_s = 10");
  write("[strategy]\nmethod = \"scaffold\"\n", clients);
  std::vector<ChildProcess> members;
  {
    auto first = start_aggregator("aggregator-1");
    for (int i = 1; i <= clients; ++i) members.push_back(start_loud_client(i, "1"));
    kill(members[0], Moment::counted, 1);
    members.push_back(start_loud_client(1, "2"));
    ASSERT_TRUE(first.wait_for_output("round   2 of 4", seconds(100))) << first.output();
    first.signal(SIGKILL);
    ASSERT_EQ(first.wait(seconds(30)), -SIGKILL);
  }
  auto second = start_aggregator("aggregator-2");
  ASSERT_EQ(second.wait(seconds(250)), 0) << second.output();
  const std::string run_folder = line(second.output(), "run folder: ").substr(12);
  const auto rounds =
      nlohmann::json::parse(run("hansa", {"status", run_folder, "--json"}, "status"))["rounds"];
  ASSERT_EQ(rounds.size(), 4U);
  for (const auto& round : rounds) EXPECT_TRUE(round.contains("secure")) << round.dump(1);
  run("hansa", {"verify", run_folder}, "verify");
}

}  // namespace
}  // namespace hansa::testing
