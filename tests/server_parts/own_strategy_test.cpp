// The aggregation that docs/strategies.md shows as an example of one's own: it compiles, works, and is what the page says.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "common/files.h"
#include "common/random.h"
#include "examples/own_strategy/middle_half.h"

namespace hansa::server {
namespace {

TEST(OwnStrategy, IsTheMeanOfTheMiddleHalf) {
  const std::vector<std::vector<float>> values{{1, 100}, {2, -4}, {3, -2}, {1e30F, 6}, {-1e30F, 0}};
  std::vector<RobustUpdate> updates;
  for (const auto& vector : values) updates.push_back({7, vector});
  for (const unsigned threads : {1U, 3U}) {
    WorkerPool workers(threads);
    std::vector<float> out(2);
    MiddleHalf().estimate(updates, workers, out);
    EXPECT_THAT(out, ::testing::ElementsAre((1.0F + 2 + 3) / 3, (-2.0F + 0 + 6) / 3));
  }
}

TEST(OwnStrategy, DoesNotDependOnTheOrderOfArrivalOrOnThreads) {
  Random random(5);
  std::vector<std::vector<float>> values(9, std::vector<float>(10'001));
  for (auto& vector : values)
    for (float& value : vector) value = static_cast<float>(random.normal());
  std::vector<float> expected;
  for (int turn = 0; turn < 6; ++turn) {
    random.shuffle(std::span(values));
    std::vector<RobustUpdate> updates;
    for (const auto& vector : values) updates.push_back({1, vector});
    WorkerPool workers(turn % 2 == 0 ? 1 : 3);
    std::vector<float> out(10'001);
    MiddleHalf().estimate(updates, workers, out);
    if (turn == 0) expected = out;
    EXPECT_EQ(out, expected);
  }
}

TEST(OwnStrategy, ThePageShowsTheFile) {
  const auto page = read_text_file(HANSA_STRATEGIES_PAGE, 1 << 20);
  const auto file = read_text_file(HANSA_OWN_STRATEGY, 1 << 20);
  ASSERT_TRUE(page && file);
  EXPECT_THAT(*page, ::testing::HasSubstr("```cpp\n" + *file + "```\n"));
}

}  // namespace
}  // namespace hansa::server
