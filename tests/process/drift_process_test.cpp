// Methods and optimisers that keep vectors from round to round, in the real programs: kill -9 of clients and of the aggregator
// in the middle of a run changes no bit of the final model.
#include <csignal>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/rows_federation.h"

namespace hansa::testing {
namespace {

constexpr int clients = 3;

class DriftProgram : public RowsFederation {
 protected:
  // All clients take part in each round, and each has other rows. A training takes long enough to be killed in it.
  void create_with(const std::string& strategy) {
    create({.clients = clients, .rounds = 5});
    const std::filesystem::path federation = folder / "federation.toml";
    replace(federation, "clients_min = [0-9]+", "clients_min = " + std::to_string(clients));
    replace(federation, "quorum = [0-9.]+", "quorum = 1.0");
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
  // Kills the client when it has stored what it keeps of the round, in the training of the next one or before it.
  static void kill_after(ChildProcess& client, int round) {
    ASSERT_TRUE(
        client.wait_for_output(R"("event":"update.counted","message":"the update is counted","round":)" +
                                   std::to_string(round) + ",",
                               seconds(100)))
        << client.output();
    client.signal(SIGKILL);
    ASSERT_EQ(client.wait(seconds(30)), -SIGKILL);
  }
  void expect_the_same_model_after_kills() {
    const std::string undisturbed = line(
        run("hansa", {"simulate", (folder / "federation.toml").string()}, "simulation"), "final model: ");
    ASSERT_NE(undisturbed, "");
    std::string output;
    {
      auto first = start_aggregator("aggregator-1");
      auto one = start_loud_client(1, "1");
      auto two = start_loud_client(2, "1");
      auto three = start_loud_client(3, "1");
      kill_after(one, 1);
      auto one_again = start_loud_client(1, "2");
      ASSERT_TRUE(first.wait_for_output("round   2 of 5", seconds(100))) << first.output();
      first.signal(SIGKILL);
      ASSERT_EQ(first.wait(seconds(30)), -SIGKILL);
      auto second = start_aggregator("aggregator-2");
      kill_after(two, 3);
      auto two_again = start_loud_client(2, "2");
      ASSERT_EQ(second.wait(seconds(250)), 0) << second.output();
      output = second.output();
      EXPECT_EQ(output.find("round   1 of 5"), std::string::npos) << "round 1 was lost";
    }
    EXPECT_EQ(line(output, "final model: "), undisturbed);
    run_folder_ = line(output, "run folder: ").substr(12);
  }

  std::string run_folder_;
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

}  // namespace
}  // namespace hansa::testing
