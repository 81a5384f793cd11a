// The series of runs as CSV and as JSON lines.
#include "server/output/tables.h"

#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/output/run_fixture.h"

namespace hansa::server {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

const std::vector<NamedRows> two_runs{
    {"one",
     {{RoundId{1}, 1767323040, {{"train/loss", 0.5}, {"round/seconds", 3}}},
      {RoundId{0}, 1767323000, {{"held_out/loss", 0.1}}},
      {RoundId{2}, 1767323100, {{"train/loss", std::numeric_limits<double>::quiet_NaN()}}}}},
    {"two, \"b\"", {{RoundId{1}, 0, {{"round/seconds", infinity}}}}}};

TEST(Tables, CsvHasARowForEachRoundAndAColumnForEachSeries) {
  EXPECT_EQ(csv_of(two_runs),
            "run,round,time,train/loss,round/seconds,held_out/loss\r\n"
            "one,0,2026-01-02T03:03:20Z,,,0.1\r\n"
            "one,1,2026-01-02T03:04:00Z,0.5,3,\r\n"
            "one,2,2026-01-02T03:05:00Z,nan,,\r\n"
            "\"two, \"\"b\"\"\",1,,,inf,\r\n");
}

TEST(Tables, JsonLinesHaveTheSameValues) {
  std::istringstream lines(json_lines_of(two_runs));
  std::vector<nlohmann::json> all;
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1], nlohmann::json::parse(R"({"run":"one","round":1,"time":"2026-01-02T03:04:00Z",
                                             "train/loss":0.5,"round/seconds":3})"));
  EXPECT_TRUE(all[2]["train/loss"].is_null());
  EXPECT_FALSE(all[2].contains("round/seconds"));
  EXPECT_EQ(all[3]["run"], "two, \"b\"");
}

}  // namespace
}  // namespace hansa::server
