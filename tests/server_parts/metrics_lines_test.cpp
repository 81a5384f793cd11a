// metrics.jsonl of a run folder.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/server_parts/run_folder_fixture.h"

namespace hansa::server {
namespace {

using MetricsLines = RunFolderTest;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<nlohmann::json> lines_of(const std::filesystem::path& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST_F(MetricsLines, MetricsHaveALineForEachCommitAndEachEvaluation) {
  fill(1);
  const auto store = open();
  ASSERT_TRUE(store->record_evaluation(RoundId{1}, {{"loss", 5, 10}}));
  const auto lines = lines_of(store->metrics_path());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["round"], 1);
  EXPECT_EQ(lines[0]["model"], vector_digest(model_of(1)).text());
  EXPECT_EQ(lines[0]["selected"], 7);
  EXPECT_EQ(lines[0]["counted"], 2);
  EXPECT_EQ(lines[0]["lost"], 5);
  EXPECT_EQ(lines[0]["examples"], 800);
  EXPECT_EQ(lines[0]["train"], (nlohmann::json{{"loss", 0.5}, {"accuracy", 0.75}}));
  EXPECT_EQ(lines[1], (nlohmann::json{{"round", 1}, {"evaluation", {{"loss", 0.5}}}}));
}

TEST_F(MetricsLines, MissingMetricsLinesAreWrittenAgainAndNoneTwice) {
  fill(3);
  {
    const auto store = open();
    ASSERT_TRUE(store->record_evaluation(RoundId{0}, {{"loss", 1, 2}}));
    ASSERT_TRUE(store->record_evaluation(RoundId{2}, {{"loss", 1, 4}}));
    ASSERT_TRUE(store->record_evaluation(RoundId{2}, {{"loss", 3, 4}}));
  }
  const auto metrics = path_ / "metrics.jsonl";
  const std::string whole = text_of(metrics);
  open();
  EXPECT_EQ(text_of(metrics), whole);
  // A crash may truncate the file at any byte.
  for (std::size_t bytes = 0; bytes <= whole.size(); bytes += bytes < 40 ? 1 : 17) {
    std::ofstream(metrics, std::ios::trunc) << whole.substr(0, bytes);
    open();
    std::map<std::uint32_t, int> commits;
    std::map<std::uint32_t, double> evaluations;
    for (const auto& line : lines_of(metrics)) {
      if (line.contains("evaluation")) evaluations[line["round"]] = line["evaluation"]["loss"];
      else ++commits[line["round"]];
    }
    ASSERT_EQ(commits, (std::map<std::uint32_t, int>{{1, 1}, {2, 1}, {3, 1}})) << bytes;
    ASSERT_EQ(evaluations, (std::map<std::uint32_t, double>{{0, 0.5}, {2, 0.75}})) << bytes;
  }
}

TEST_F(MetricsLines, AMetricsFileThatCannotBeReadIsWrittenAgain) {
  fill(2);
  const auto metrics = path_ / "metrics.jsonl";
  const std::string whole = text_of(metrics);
  std::ofstream(metrics, std::ios::trunc) << std::string(100, '\0') << "\n" << whole;
  open();
  EXPECT_EQ(text_of(metrics), whole);
}

}  // namespace
}  // namespace hansa::server
