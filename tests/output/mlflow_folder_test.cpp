// MLflow's file store: what its own reader would read, by the rules of its file_store.py.
#include "server/output/mlflow_folder.h"

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/output/run_fixture.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

namespace fs = std::filesystem;
using ::testing::MatchesRegex;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

// "key: value" lines; quotes are removed.
std::map<std::string, std::string> yaml_of(const fs::path& file) {
  std::map<std::string, std::string> out;
  std::istringstream lines(text_of(file));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    EXPECT_NE(colon, std::string::npos) << line;
    std::string value = line.substr(colon + 2);
    if (value.size() > 1 && value.front() == '\'') value = value.substr(1, value.size() - 2);
    out[line.substr(0, colon)] = value;
  }
  return out;
}

class MlflowFolder : public ::testing::Test {
 protected:
  fs::path write(const MlflowRun& run) {
    auto written = write_mlflow_run(folder_.path() / "mlruns", run);
    EXPECT_TRUE(written) << written.error().text();
    return written.value_or(fs::path());
  }
  TemporaryFolder folder_;
};

TEST_F(MlflowFolder, HasTheRunBelowItsExperiment) {
  RunView view = learning_run(2);
  view.configurations = {{RoundId{0}, "[federation]\nname = \"harbour\"\n"}};
  const fs::path run = write({view, MlflowStatus::finished, {{"training.learning_rate", "0.05"}}});
  EXPECT_EQ(run.parent_path().parent_path(), folder_.path() / "mlruns");
  const auto experiment = yaml_of(run.parent_path() / "meta.yaml");
  EXPECT_EQ(experiment.at("name"), "harbour");
  EXPECT_EQ(experiment.at("experiment_id"), run.parent_path().filename().string());
  EXPECT_THAT(experiment.at("experiment_id"), MatchesRegex("[1-9][0-9]+"));
  EXPECT_EQ(experiment.at("lifecycle_stage"), "active");
  EXPECT_EQ(experiment.at("artifact_location"), "file://" + run.parent_path().string());
  const auto meta = yaml_of(run / "meta.yaml");
  EXPECT_EQ(meta.at("run_id"), run.filename().string());
  EXPECT_EQ(meta.at("run_uuid"), meta.at("run_id"));
  EXPECT_THAT(meta.at("run_id"), MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(meta.at("run_id").size(), 32U);
  EXPECT_EQ(meta.at("experiment_id"), experiment.at("experiment_id"));
  EXPECT_EQ(meta.at("run_name"), "harbour-20260102-030000");
  EXPECT_EQ(meta.at("status"), "3");
  EXPECT_EQ(meta.at("start_time"), "1767322860000");
  EXPECT_EQ(meta.at("end_time"), "1767322950500");
  EXPECT_EQ(meta.at("artifact_uri"), "file://" + (run / "artifacts").string());
  EXPECT_EQ(text_of(run / "metrics" / "train" / "loss"), "1767322890500 1 1\n1767322950500 0.5 2\n");
  EXPECT_EQ(text_of(run / "params" / "training.learning_rate"), "0.05");
  EXPECT_EQ(text_of(run / "params" / "seed"), "7");
  EXPECT_EQ(text_of(run / "tags" / "mlflow.runName"), "harbour-20260102-030000");
  EXPECT_EQ(text_of(run / "artifacts" / "federation.toml"), view.configurations[0].text);
  // MLflow takes each file below metrics/ for a metric.
  for (const auto& entry : fs::recursive_directory_iterator(run / "metrics")) {
    if (entry.is_directory()) continue;
    EXPECT_FALSE(text_of(entry.path()).empty()) << entry.path();
    EXPECT_EQ(entry.path().extension().string().find(".tmp"), std::string::npos) << entry.path();
  }
}

TEST_F(MlflowFolder, ASecondExportReplacesTheFirst) {
  const RunView early = learning_run(2), late = learning_run(4);
  const fs::path first = write({early, MlflowStatus::running, {}});
  EXPECT_EQ(yaml_of(first / "meta.yaml").at("end_time"), "null");
  EXPECT_EQ(yaml_of(first / "meta.yaml").at("status"), "1");
  EXPECT_EQ(write({late, MlflowStatus::killed, {}}), first);
  EXPECT_EQ(yaml_of(first / "meta.yaml").at("status"), "5");
  const std::string loss = text_of(first / "metrics" / "train" / "loss");
  EXPECT_EQ(std::ranges::count(loss, '\n'), 4);
  const auto runs = std::distance(fs::directory_iterator(first.parent_path()), fs::directory_iterator());
  EXPECT_EQ(runs, 2) << "meta.yaml and one run";
}

TEST_F(MlflowFolder, HostileNamesAreQuotedAndStayInside) {
  RunView view = learning_run(1);
  view.identity.run = "it's\n../x: 'y'";
  view.rounds[0].participations[0].metrics = {{"../../../evil", 1, 1}};
  view.rounds[0].participations[1].metrics = {{"../../../evil", 1, 1}};
  const fs::path run = write({view, MlflowStatus::finished, {{"../../escape", "x"}}});
  EXPECT_THAT(text_of(run / "meta.yaml"), ::testing::HasSubstr("run_name: 'it''s\\x0a../x: ''y'''\n"));
  EXPECT_EQ(text_of(run / "metrics" / "train" / ".._.._.._evil"), "1767322890500 1 1\n");
  EXPECT_EQ(text_of(run / "params" / ".._.._escape"), "x");
}

}  // namespace
}  // namespace hansa::server
