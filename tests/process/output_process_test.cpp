// [output] tensorboard of a real aggregator: what an independent reader reads after a kill, and that a folder that cannot
// be written costs a warning.
#include <csignal>
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/rows_federation.h"

namespace hansa::testing {
namespace {

namespace fs = std::filesystem;

class OutputFederation : public RowsFederation {
 protected:
  void write_to(const std::string& tensorboard) {
    std::ofstream(folder / "federation.toml", std::ios::app)
        << "\n[output]\ntensorboard = \"" << tensorboard << "\"\n";
  }
  // "TAG STEP" and the value's text, of the only event file.
  std::map<std::string, std::string> read_events(const std::string& name) {
    std::map<std::string, std::string> out;
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "tensorboard"))
      if (entry.is_regular_file()) files.push_back(entry.path());
    EXPECT_EQ(files.size(), 1U);
    if (files.size() != 1) return out;
    ChildProcess reader("/usr/bin/env", {"python3", HANSA_READ_EVENTS, files[0].string()}, log(name));
    EXPECT_EQ(reader.wait(seconds(60)), 0) << reader.output();
    std::istringstream lines(reader.output());
    std::string tag, step, time, value;
    while (lines >> tag >> step >> time >> value)
      EXPECT_TRUE(out.try_emplace(tag + " " + step, value).second) << tag << " " << step << " is there twice";
    return out;
  }
};

TEST_F(OutputFederation, AfterAKillAndARestartNoValueIsMissingOrTwice) {
  create({2, 12, 2});
  write_to("tensorboard");
  {
    auto aggregator = start_aggregator("aggregator-1");
    std::vector<ChildProcess> clients;
    for (int i = 1; i <= 2; ++i) clients.push_back(start_client(i));
    ASSERT_TRUE(aggregator.wait_for_output("round   4 of 12: ", seconds(100))) << aggregator.output();
    aggregator.signal(SIGKILL);
    ASSERT_EQ(aggregator.wait(seconds(30)), -SIGKILL);
  }
  auto aggregator = start_aggregator("aggregator-2");
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 2; ++i) clients.push_back(start_client(i));
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  const auto events = read_events("events");
  const nlohmann::json status =
      nlohmann::json::parse(run("hansa", {"status", (folder / "runs").string(), "--json"}, "status"));
  ASSERT_EQ(status["rounds"].size(), 12U);
  for (const auto& round : status["rounds"]) {
    const std::string step = " " + std::to_string(round["round"].get<int>());
    ASSERT_TRUE(events.contains("train/loss" + step)) << step;
    EXPECT_FLOAT_EQ(std::stof(events.at("train/loss" + step)),
                    round["training"]["loss"]["mean"].get<float>());
    EXPECT_EQ(std::stod(events.at("clients/counted" + step)), round["counted"].get<double>());
  }
  // The commands that docs/metrics.md names have nothing to add, and give the same numbers.
  run("hansa",
      {"export-metrics", (folder / "runs").string(), "--tensorboard", (folder / "tensorboard").string()},
      "export");
  EXPECT_EQ(read_events("events-again"), events);
}

TEST_F(OutputFederation, AFolderThatCannotBeWrittenIsOneWarningAndRoundsContinue) {
  create({2, 5, 2});
  write_to("taken");
  std::ofstream(folder / "taken") << "a file where the folder should be";
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 2; ++i) clients.push_back(start_client(i));
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  const std::string output = aggregator.output();
  // In the log; the summary at the end repeats it.
  const std::string warning = "warning aggregator TensorBoard's event file is incomplete";
  std::size_t times = 0;
  for (std::size_t at = output.find(warning); at != std::string::npos; at = output.find(warning, at + 1))
    ++times;
  EXPECT_EQ(times, 1U) << output;
}

}  // namespace
}  // namespace hansa::testing
