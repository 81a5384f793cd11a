// A client that lets rounds wait is left out of cohorts, also by the next aggregator, until the operator releases it: the
// real programs.
#include <csignal>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/utc.h"
#include "server/register/device_history.h"
#include "tests/process/rows_federation.h"

namespace hansa::testing {
namespace {

class ReliabilityProgram : public RowsFederation {
 protected:
  void SetUp() override {
    create();
    replace(folder / "federation.toml", "deadline_s = [0-9]+", "deadline_s = 5");
  }
  nlohmann::json device(const std::string& name, const std::string& log_name) {
    return nlohmann::json::parse(hansa({"devices", "show", name, "--json"}, log_name));
  }
};

TEST_F(ReliabilityProgram, ADeviceThatLetsRoundsWaitIsLeftOutAndTheRegisterHasIt) {
  auto aggregator = start_aggregator("aggregator");
  auto silent = start_client(1);
  ASSERT_TRUE(aggregator.wait_for_output("client-01 connected", seconds(60))) << aggregator.output();
  silent.signal(SIGSTOP);
  auto two = start_client(2);
  auto three = start_client(3);
  ASSERT_TRUE(aggregator.wait_for_output("client-01 is left out of cohorts", seconds(100)))
      << aggregator.output();
  aggregator.signal(SIGTERM);
  ASSERT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  const auto found = device("client-01", "show");
  EXPECT_GE(found.at("faults"), 1) << found;
  EXPECT_GE(found.at("rounds_lost"), 1) << found;
  ASSERT_FALSE(found.at("losses").empty()) << found;
  EXPECT_NE(found.at("losses").back().at("reason"), "") << found;
  const auto other = device("client-02", "show-2");
  EXPECT_GT(other.at("examples_per_s"), 0) << other;
  EXPECT_GT(other.at("upload_bytes_per_s"), 0) << other;
  EXPECT_GT(other.at("bytes_up"), 0) << other;
  silent.signal(SIGCONT);
}

TEST_F(ReliabilityProgram, ADeviceThatIsLeftOutStaysSoAfterARestartUntilItIsReleased) {
  {
    // As an earlier aggregator left it.
    auto history = server::DeviceHistory::open(folder / "devices.sqlite");
    ASSERT_TRUE(history) << history.error().text();
    ASSERT_TRUE(history->replace_standings({{"client-01", {3, 0, {utc_seconds_now().value + 20 * 3'600}}}}));
  }
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("client-01 stays left out of cohorts", seconds(60)))
      << aggregator.output();
  auto one = start_client(1);
  auto two = start_client(2);
  auto three = start_client(3);
  ASSERT_TRUE(aggregator.wait_for_output("client-01 connected", seconds(60))) << aggregator.output();
  EXPECT_EQ(device("client-01", "before").at("state"), "left out");
  hansa({"devices", "release", "client-01"}, "release");
  ASSERT_TRUE(aggregator.wait_for_output("the operator released it", seconds(60))) << aggregator.output();
  EXPECT_EQ(device("client-01", "after").at("state"), "admitted");
  EXPECT_NE(hansa({"audit"}, "audit").find("device.released"), std::string::npos);
}

}  // namespace
}  // namespace hansa::testing
