// Statistics of the clients' data, with secure aggregation, in the real programs: killed in between, and continued with
// the same numbers.
#include <cmath>
#include <csignal>
#include <regex>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

// Four clients, each with one column around another value.
class StatisticsFolder : public ProgramTest {
 protected:
  static constexpr int clients = 4;
  void SetUp() override {
    const std::string model = (folder / "model.pt").string();
    run("hansa", {"new", folder.string(), "--clients", "4", "--rounds", "200"}, "new");
    std::filesystem::remove(model);
    run("hansa", {"model", "create", "logistic", model, "--inputs", "2", "--classes", "2"}, "model");
    run("hansa", {"model", "sign", model, "--key", (folder / "keys" / "root.key").string()}, "sign");
    const auto federation = folder / "federation.toml";
    replace(federation, "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    replace(federation, "# \\[statistics\\]\n# columns = 30 [^\n]*", "[statistics]\ncolumns = 2");
    replace(federation, "\\[evaluation.on_clients\\]\nfraction = 0.2\nevery = 1[^\n]*", "");
    long double sum = 0, squares = 0;
    for (int i = 1; i <= clients; ++i) {
      std::string rows = "a,b,y\n";
      const double range = std::pow(1000.0, i - 2);
      for (int row = 0; row < 10 * i; ++row) {
        const auto a = static_cast<float>(range * (row % 7 - 2));
        values_.push_back(a);
        char text[64];
        std::snprintf(text, sizeof text, "%.9g,5,%d\n", static_cast<double>(a), row % 2);
        rows += text;
      }
      ASSERT_TRUE(write_file_atomically(site(i) / "rows.csv", rows));
      set_scale(i, "federation");
    }
    for (const float value : values_) sum += value;
    mean_ = sum / static_cast<long double>(values_.size());
    for (const float value : values_) squares += (value - mean_) * (value - mean_);
    deviation_ = std::sqrt(squares / static_cast<long double>(values_.size()));
  }
  void set_scale(int client, const std::string& scale) {
    replace(client_file(client), "\\[data\\][^\\[]*",
            "[data]\nkind = \"csv\"\nfile = \"rows.csv\"\nlabel = \"y\"\nscale = \"" + scale + "\"\n\n");
  }
  // Of the only run.
  nlohmann::json status() {
    const std::string run_folder = std::filesystem::directory_iterator(folder / "runs")->path().string();
    return nlohmann::json::parse(
        run("hansa", {"status", run_folder, "--json"}, "status-" + std::to_string(asked_++)));
  }
  void expect_pooled(const nlohmann::json& status) const {
    ASSERT_TRUE(status.contains("statistics")) << status.dump(1);
    const auto means = status["statistics"]["means"].get<std::vector<double>>();
    const auto deviations = status["statistics"]["deviations"].get<std::vector<double>>();
    ASSERT_EQ(means.size(), 2U);
    EXPECT_LE(std::abs(means[0] - mean_), 1e-12L * std::abs(mean_));
    EXPECT_LE(std::abs(deviations[0] - deviation_), 1e-12L * deviation_);
    EXPECT_EQ(means[1], 5);
    EXPECT_EQ(deviations[1], 0);
  }
  std::vector<float> values_;
  long double mean_ = 0, deviation_ = 0;
  int asked_ = 0;
};

TEST_F(StatisticsFolder, AKilledAggregatorContinuesWithThePooledStatistics) {
  std::vector<ChildProcess> members;
  nlohmann::json before;
  {
    auto aggregator = start_aggregator("aggregator-1");
    for (int i = 1; i <= clients; ++i) members.push_back(start_client(i));
    ASSERT_TRUE(
        aggregator.wait_for_output("statistics of 2 columns, over the data of 4 clients", seconds(120)))
        << aggregator.output();
    ASSERT_TRUE(aggregator.wait_for_output("round   2 of 200", seconds(120))) << aggregator.output();
    aggregator.signal(SIGKILL);
    ASSERT_EQ(aggregator.wait(seconds(30)), -SIGKILL);
    before = status();
    expect_pooled(before);
  }
  members.clear();
  auto aggregator = start_aggregator("aggregator-2");
  for (int i = 1; i <= clients; ++i) members.push_back(start_client(i));
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  for (auto& member : members) EXPECT_EQ(member.wait(seconds(60)), 0) << member.output();
  EXPECT_EQ(aggregator.output().find("over the data of"), std::string::npos) << aggregator.output();
  const auto after = status();
  EXPECT_EQ(after["run"], before["run"]);
  EXPECT_EQ(after["rounds"].size(), 200U);
  EXPECT_EQ(after["statistics"], before["statistics"]);
  // A program of the device that uses the model scales its inputs by the same numbers.
  const auto manifest = read_text_file(site(1) / "state" / "serving" / "manifest.json", 1 << 20);
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(nlohmann::json::parse(*manifest)["statistics"], before["statistics"]);
}

TEST_F(StatisticsFolder, AClientThatDoesNotScaleIsWarnedAndOneWithoutStatisticsSaysWhatToDo) {
  // A cohort that may be without the client that takes no part in the sums is smaller than clients accept.
  replace(folder / "federation.toml", "clients_min = [0-9]+", "clients_min = 3");
  replace(folder / "federation.toml", "\\[secure_aggregation\\]", "[secure_aggregation]\nhonest_min = 2");
  for (int i = 1; i <= clients; ++i)
    replace(client_file(i), "\\[secure_aggregation\\]", "[secure_aggregation]\nhonest_min = 2");
  set_scale(4, "none");
  {
    auto aggregator = start_aggregator("aggregator-1");
    std::vector<ChildProcess> members;
    for (int i = 1; i <= clients; ++i) members.push_back(start_client(i));
    ASSERT_TRUE(aggregator.wait_for_output("over the data of 3 clients", seconds(200)))
        << aggregator.output();
    ASSERT_TRUE(members[3].wait_for_output("does not scale by them", seconds(120))) << members[3].output();
    aggregator.signal(SIGTERM);
    ASSERT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  }
  replace(folder / "federation.toml", "\\[statistics\\]\ncolumns = 2", "");
  auto aggregator = start_aggregator("aggregator-2");
  auto member = start_client(1);
  auto second = start_client(2);
  auto third = start_client(3);
  EXPECT_TRUE(member.wait_for_output("ask the operator for [statistics] in federation.toml", seconds(120)))
      << member.output();
}

// A client that is removed while statistics are gathered is removed in the register too, by the aggregator.
TEST_F(StatisticsFolder, TheRegisterFollowsTheFolderBeforeTheFirstRound) {
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("audit log: ", seconds(60))) << aggregator.output();
  const std::string output = aggregator.output();
  std::smatch match;
  ASSERT_TRUE(std::regex_search(output, match, std::regex("audit log: ([0-9]+) entries"))) << output;
  const auto client = std::filesystem::directory_iterator(folder / "admitted")->path();
  std::filesystem::remove(client);
  const std::string next = "audit log: " + std::to_string(std::stoi(match[1]) + 1) + " entries";
  EXPECT_TRUE(aggregator.wait_for_output(next, seconds(60))) << aggregator.output();
  // This command does not compare register and folder.
  const std::string audit = run("hansa", {"audit", "--folder", folder.string()}, "audit");
  EXPECT_NE(audit.find("aggregator  device.removed  " + client.stem().string()), std::string::npos) << audit;
}

// The operator may stop while clients are missing: no run is left behind.
TEST_F(StatisticsFolder, AStopBeforeTheStatisticsLeavesNoRun) {
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("first, the statistics of 2 columns", seconds(60)))
      << aggregator.output();
  aggregator.signal(SIGTERM);
  ASSERT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  EXPECT_NE(aggregator.output().find("stopped before the statistics"), std::string::npos)
      << aggregator.output();
  EXPECT_TRUE(std::filesystem::is_empty(folder / "runs"));
}

}  // namespace
}  // namespace hansa::testing
