// The dashboard's port of a real aggregator: metrics and events while rounds are committed, and what happens without it.
#include <csignal>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "server/http/server.h"
#include "tests/http/raw_client.h"
#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

using http::RawClient;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string get(const std::string& address, const std::string& path) {
  RawClient client(address);
  client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return client.read_all();
}

// "hansa_round 3" -> 3; -1: there is no such line.
double value_of(const std::string& metrics, const std::string& name) {
  const auto at = metrics.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(metrics.substr(at + name.size() + 2));
}

class DashboardFolder : public ProgramTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
      GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
    run("hansa",
        {"new", folder.string(), "--example", "fashion-mnist", "--clients", "2", "--rounds",
         std::to_string(rounds)},
        "new");
    replace(file(), "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    replace(file(), "\\[federation\\]", "[federation]\nafter_last_round = \"stay\"");
    for (int i = 1; i <= 2; ++i) replace(client_file(i), "\\[data\\]", "[data]\nexamples_max = 40");
  }
  // Many more than are committed between two writes of events.
  static constexpr int rounds = 60;
  [[nodiscard]] std::filesystem::path file() const { return folder / "federation.toml"; }
  // "127.0.0.1:PORT", as the aggregator has printed it.
  static std::string address_of(ChildProcess& aggregator) {
    EXPECT_TRUE(aggregator.wait_for_output("dashboard: http://", seconds(60))) << aggregator.output();
    std::smatch match;
    const std::string output = aggregator.output();
    EXPECT_TRUE(std::regex_search(output, match, std::regex("dashboard: http://([0-9.]+:[0-9]+)/ ")));
    return match[1];
  }
};

TEST_F(DashboardFolder, MetricsAndEventsAreReadWhileRoundsAreCommitted) {
  auto aggregator = start_aggregator("aggregator");
  const std::string address = address_of(aggregator);
  EXPECT_THAT(get(address, "/healthz"), HasSubstr("200 OK"));
  EXPECT_THAT(get(address, "/readyz"), HasSubstr("503 Service Unavailable"));

  RawClient stream(address);
  stream.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(stream.read_until("\r\n\r\n"), HasSubstr("text/event-stream"));
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 2; ++i) clients.push_back(start_client(i));

  std::set<std::string> phases, names;
  int committed = 0;
  bool is_done = false, is_held = false;
  json live;
  while (!is_done) {
    const std::string event = stream.read_until("\n\n");
    std::smatch match;
    if (event.starts_with(":")) continue;
    ASSERT_TRUE(std::regex_match(event, match, std::regex("id: [0-9]+\nevent: ([a-z]+)\ndata: (.*)\n\n")))
        << event;
    names.insert(match[1]);
    const json data = json::parse(match[2].str());
    if (match[1] == "round") {
      EXPECT_EQ(data["round"]["round"], ++committed);
      EXPECT_EQ(data["round"]["counted"], 2);
      // The events between two writes show only the last phase. A round that waits for this client is seen.
      if (committed == 1) {
        clients[1].signal(SIGSTOP);
        is_held = true;
      }
    }
    if (match[1] == "live") {
      phases.insert(data["phase"]);
      if (data["phase"] == "training") {
        live = data;
        if (std::exchange(is_held, false)) clients[1].signal(SIGCONT);
      }
      is_done = committed == rounds &&
                data["why_done"] == "all " + std::to_string(rounds) + " rounds are done" &&
                data["evaluations_waiting"] == 0;
    }
  }
  EXPECT_THAT(names, ::testing::IsSupersetOf({"live", "round", "evaluation", "devices", "log"}));
  EXPECT_THAT(phases, ::testing::IsSupersetOf({"gathering", "training"}));
  ASSERT_EQ(live["members"].size(), 2U);
  EXPECT_EQ(live["members"][0]["client"], "client-01");

  const std::string metrics = get(address, "/metrics");
  EXPECT_THAT(metrics, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(metrics, HasSubstr("hansa_info{version="));
  EXPECT_EQ(value_of(metrics, "hansa_rounds_committed_total"), rounds);
  EXPECT_EQ(value_of(metrics, "hansa_round"), rounds);
  EXPECT_EQ(value_of(metrics, "hansa_rounds_configured"), rounds);
  EXPECT_EQ(value_of(metrics, "hansa_participants_total{outcome=\"counted\"}"), 2 * rounds);
  EXPECT_EQ(value_of(metrics, "hansa_round_seconds_count"), rounds);
  EXPECT_EQ(value_of(metrics, "hansa_round_phase_seconds_count{phase=\"training\"}"), rounds);
  EXPECT_EQ(value_of(metrics, "hansa_clients_admitted"), 2);
  EXPECT_EQ(value_of(metrics, "hansa_http_event_streams"), 1);
  EXPECT_GT(value_of(metrics, "hansa_bytes_received_total"), 10'000);
  EXPECT_GT(value_of(metrics, "hansa_model_values"), 1'000);
  EXPECT_GT(value_of(metrics, "hansa_evaluation_metric{metric=\"accuracy\"}"), 0);
  EXPECT_GT(value_of(metrics, "hansa_training_metric{metric=\"loss\"}"), 0);
  EXPECT_GT(value_of(metrics, "hansa_update_norm"), 0);
  EXPECT_GT(value_of(metrics, "hansa_event_loop_lag_seconds_count"), 0);
  EXPECT_THAT(get(address, "/readyz"), HasSubstr("200 OK"));

  // An open stream does not keep it from ending.
  aggregator.signal(SIGTERM);
  EXPECT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  (void)stream.read_all();
  for (ChildProcess& client : clients) client.signal(SIGTERM);
  // Its output is a file, which has no token.
  const auto token = read_text_file(folder / "dashboard.token", 1'000);
  ASSERT_TRUE(token) << token.error().text();
  EXPECT_THAT(aggregator.output(), Not(HasSubstr(token->substr(0, 64))));
}

TEST_F(DashboardFolder, APortInUseCostsTheDashboardAndNothingElse) {
  class None final : public http::Handler {
    http::Response handle(const http::Request&) override { return {}; }
  } handler;
  const auto other = http::Server::open({}, handler);
  ASSERT_TRUE(other) << other.error().text();
  replace(file(), "listen = \"[^\"]*\"", "listen = \"" + (*other)->address() + "\"");
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("there is no dashboard: " + (*other)->address(), seconds(60)))
      << aggregator.output();
  EXPECT_THAT(aggregator.output(), HasSubstr("set [dashboard] listen to another address"));
  ASSERT_TRUE(aggregator.wait_for_output("new, because", seconds(60))) << aggregator.output();
  aggregator.signal(SIGTERM);
  EXPECT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
}

TEST_F(DashboardFolder, NoDashboardOpensNothing) {
  std::string address;
  {
    auto aggregator = start_aggregator("with");
    address = address_of(aggregator);
    aggregator.signal(SIGTERM);
    ASSERT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  }
  std::filesystem::remove(folder / "dashboard.token");
  replace(file(), "listen = \"[^\"]*\"", "listen = \"" + address + "\"");
  auto aggregator = start_aggregator("without", {"--no-dashboard"});
  ASSERT_TRUE(aggregator.wait_for_output("because", seconds(60))) << aggregator.output();
  EXPECT_FALSE(RawClient(address).is_connected());
  EXPECT_THAT(aggregator.output(), Not(HasSubstr("dashboard")));
  EXPECT_FALSE(std::filesystem::exists(folder / "dashboard.token"));
  aggregator.signal(SIGTERM);
  EXPECT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
}

}  // namespace
}  // namespace hansa::testing
