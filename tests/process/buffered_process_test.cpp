// Buffered aggregation with real programs, of which some are killed.
#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "server/store/run_folder.h"
#include "tests/process/rows_federation.h"

namespace hansa::testing {
namespace {

class BufferedProcess : public RowsFederation {
 protected:
  // Both are lines of TOML, of these tables.
  void make_buffered(const std::string& buffered, const std::string& simulation = "") {
    const std::filesystem::path federation = folder / "federation.toml";
    replace(federation, "\\[cohort\\]\n", "[cohort]\nmode = \"buffered\"\n");
    replace(federation, "\\[simulation\\]",
            "[cohort.buffered]\n" + buffered + "\n[simulation]\n" + simulation);
  }
  void expect_same_model_for_any_threads() {
    const auto model_of = [&](const std::string& threads) {
      const std::string output = run(
          "hansa", {"simulate", (folder / "federation.toml").string(), "--threads", threads}, "simulation");
      return line(output, "final model: ");
    };
    const std::string one = model_of("1");
    EXPECT_NE(one, "");
    EXPECT_EQ(model_of("3"), one);
  }
  // The arrivals of all rounds of the federation's only run, in their order.
  std::vector<std::pair<RoundId, server::Arrival>> arrivals() {
    std::vector<std::pair<RoundId, server::Arrival>> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "runs")) {
      if (!entry.is_directory()) continue;
      auto run = server::RunFolder::open_read_only(entry.path());
      EXPECT_TRUE(run) << run.error().text();
      EXPECT_EQ((*run)->verify()->problems, std::vector<std::string>{});
      const auto rounds = (*run)->rounds().value();
      for (const auto& record : rounds) {
        const auto arrivals = (*run)->arrivals(record.round).value();
        for (const auto& arrival : arrivals) out.emplace_back(record.round, arrival);
      }
    }
    return out;
  }
};

TEST_F(BufferedProcess, KilledProgramsCostNoModelAndNoUpdateIsInTwo) {
  constexpr int rounds = 200;
  create({.clients = 3, .rounds = rounds});
  make_buffered("updates = 4\nstaleness_max = 5\n");
  std::vector<ChildProcess> clients;
  {
    auto aggregator = start_aggregator("aggregator-1");
    for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
    ASSERT_TRUE(aggregator.wait_for_output("round   5 of 200", seconds(100))) << aggregator.output();
    clients[1].signal(SIGKILL);
    ASSERT_EQ(clients[1].wait(seconds(30)), -SIGKILL);
    ASSERT_TRUE(aggregator.wait_for_output("round  10 of 200", seconds(100))) << aggregator.output();
    aggregator.signal(SIGKILL);
    ASSERT_EQ(aggregator.wait(seconds(30)), -SIGKILL);
  }
  auto again = ChildProcess("hansa-client", {client_file(2).string()}, log("client-2-again"));
  auto aggregator = start_aggregator("aggregator-2");
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  EXPECT_NE(aggregator.output().find("continuing after round "), std::string::npos) << aggregator.output();
  EXPECT_EQ(clients[0].wait(seconds(60)), 0) << clients[0].output();
  EXPECT_EQ(clients[2].wait(seconds(60)), 0) << clients[2].output();
  EXPECT_EQ(again.wait(seconds(60)), 0) << again.output();

  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> seen;
  std::map<std::uint32_t, int> updates;
  for (const auto& [round, arrival] : arrivals()) {
    EXPECT_TRUE(seen.insert({arrival.client, arrival.base.value, arrival.task}).second)
        << arrival.client << "'s update " << arrival.task << " on model " << arrival.base.value
        << " is also in round " << round.value;
    EXPECT_LT(arrival.base, round);
    EXPECT_LE(arrival.staleness, 5U);
    ++updates[round.value];
  }
  ASSERT_EQ(updates.size(), static_cast<std::size_t>(rounds));
  for (const auto& [round, count] : updates) EXPECT_EQ(count, 4) << "round " << round;
}

// With secure aggregation: each model is the sum of one group of three.
TEST_F(BufferedProcess, KilledProgramsCostNoModelOfAGroupAndNoUpdateIsInTwo) {
  constexpr int rounds = 200;
  create({.clients = 5, .rounds = rounds, .clients_min = 3});
  make_buffered("updates = 3\nstaleness_max = 5\nweights = \"examples\"\n");
  std::vector<ChildProcess> clients;
  {
    auto aggregator = start_aggregator("aggregator-1");
    for (int i = 1; i <= 5; ++i) clients.push_back(start_client(i));
    ASSERT_TRUE(aggregator.wait_for_output("round   5 of 200", seconds(100))) << aggregator.output();
    clients[1].signal(SIGKILL);
    ASSERT_EQ(clients[1].wait(seconds(30)), -SIGKILL);
    // Its group waits for it, and two other clients are too few for another group.
    clients.push_back(ChildProcess("hansa-client", {client_file(2).string()}, log("client-2-again")));
    ASSERT_TRUE(aggregator.wait_for_output("round  10 of 200", seconds(100))) << aggregator.output();
    aggregator.signal(SIGKILL);
    ASSERT_EQ(aggregator.wait(seconds(30)), -SIGKILL);
  }
  auto aggregator = start_aggregator("aggregator-2");
  ASSERT_EQ(aggregator.wait(seconds(300)), 0) << aggregator.output();
  EXPECT_NE(aggregator.output().find("continuing after round "), std::string::npos) << aggregator.output();
  for (const int i : {0, 2, 3, 4, 5}) EXPECT_EQ(clients[i].wait(seconds(60)), 0) << clients[i].output();

  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> seen;
  std::map<std::uint32_t, std::vector<server::Arrival>> groups;
  for (const auto& [round, arrival] : arrivals()) {
    EXPECT_TRUE(seen.insert({arrival.client, arrival.base.value, arrival.task}).second)
        << arrival.client << "'s update in group " << arrival.task << " on model " << arrival.base.value
        << " is also in round " << round.value;
    EXPECT_EQ(arrival.staleness, round.value - 1 - arrival.base.value);
    groups[round.value].push_back(arrival);
  }
  ASSERT_EQ(groups.size(), static_cast<std::size_t>(rounds));
  for (const auto& [round, group] : groups) {
    EXPECT_EQ(group.size(), 3U) << "round " << round;
    for (const server::Arrival& arrival : group) {
      EXPECT_EQ(arrival.base, group.front().base) << "round " << round;
      EXPECT_EQ(arrival.task, group.front().task) << "round " << round;
    }
  }
}

TEST_F(BufferedProcess, ASimulationRunsTheSameMode) {
  create({.clients = 3, .rounds = 6});
  make_buffered("updates = 2\n", "training_s = 5\nspeed_spread = 1.0");
  expect_same_model_for_any_threads();
}

TEST_F(BufferedProcess, ASimulationFormsGroupsToo) {
  create({.clients = 7, .rounds = 6, .clients_min = 3});
  make_buffered("updates = 3\nweights = \"examples\"\n", "training_s = 5\nspeed_spread = 1.0");
  expect_same_model_for_any_threads();
}

}  // namespace
}  // namespace hansa::testing
