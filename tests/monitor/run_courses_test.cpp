// The best and the last value of a run: from the lines of metrics.jsonl as from the database.
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/store/round_lines.h"
#include "tests/monitor/api_fixture.h"

namespace hansa::server {
namespace {

class RunCourses : public ApiTest {
 protected:
  void SetUp() override { run_ = make_run({.rounds = 7}); }
  [[nodiscard]] std::filesystem::path file() const { return run_ / "metrics.jsonl"; }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> out;
    std::ifstream in(file());
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
  void write(const std::vector<std::string>& lines) const {
    std::ofstream out(file(), std::ios::trunc);
    for (const std::string& line : lines) out << line << '\n';
  }
  // Of an API that has read nothing yet.
  [[nodiscard]] Json values() const {
    ApiParts parts;
    parts.runs = {runs_folder()};
    Api api(parts);
    const auto answer = api.handle({"GET", "/api/v1/runs", {}, "", false});
    EXPECT_EQ(answer.status, 200U) << answer.body;
    const Json run = Json::parse(answer.body)[0];
    return Json{{"best", run["best"]}, {"last", run["last"]}};
  }
  std::filesystem::path run_;
};

TEST_F(RunCourses, AreTheSameWithAndWithoutTheLines) {
  ASSERT_EQ(lines().size(), 7U);
  const Json with = values();
  ASSERT_FALSE(with["best"].is_null());
  std::filesystem::remove(file());
  EXPECT_EQ(values(), with);
}

TEST_F(RunCourses, RoundsThatHaveNoUsableLineAreReadFromTheDatabase) {
  const Json expected = values();
  const std::vector<std::string> all = lines();
  for (const std::string bad :
       {"", "no json", "[]", "{}", R"({"round":3})", R"({"round":-3,"model":"","train":{}})",
        R"({"round":3,"model":7,"train":{}})", R"({"round":3,"model":"","train":{"accuracy":"0.9"}})",
        R"({"round":3,"model":"","train":{},"held_out":{"of_round":3}})",
        R"({"round":3,"model":"","train":{},"held_out":{"loss":0.5}})",
        R"({"round":9,"model":"","train":{}})"}) {
    std::vector<std::string> damaged = all;
    damaged[2] = bad;
    write(damaged);
    EXPECT_EQ(read_round_lines(file()).size(), 2U) << bad;
    EXPECT_EQ(values(), expected) << bad;
  }
  write({all[0], all[1]});
  EXPECT_EQ(values(), expected);
}

TEST_F(RunCourses, LinesOfAnotherRunAreNotUsed) {
  const Json expected = values();
  std::vector<std::string> other = lines();
  for (std::string& line : other) {
    Json json = Json::parse(line);
    json["model"] = "sha256:" + std::string(64, '0');
    json["train"]["accuracy"] = 1;
    line = json.dump();
  }
  write(other);
  EXPECT_EQ(values(), expected);
}

TEST_F(RunCourses, LinesThatAreThereTwiceCountOnceAndEvaluationsAreNotRounds) {
  const std::vector<std::string> all = lines();
  write(
      {all[0], R"({"round":1,"evaluation":{"loss":0.5}})", all[0], all[1],
       R"({"round":3,"model":"sha256:x","train":{"loss":null},"held_out":{"of_round":2,"loss":{"mean":0.25}}})"});
  const auto read = read_round_lines(file());
  ASSERT_EQ(read.size(), 3U);
  EXPECT_TRUE(std::isnan(read[2].means.training[0].sum));
  EXPECT_EQ(read[2].means.held_out_of, RoundId(2));
  EXPECT_EQ(read[2].means.held_out[0].sum, 0.25);
  EXPECT_EQ(read[2].model, "sha256:x");
}

}  // namespace
}  // namespace hansa::server
