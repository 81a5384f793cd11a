// The events of a server that is no aggregator.
#include "server/monitor/run_watch.h"

#include <gmock/gmock.h>

#include "tests/monitor/api_fixture.h"

namespace hansa::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RunWatchTest : public ApiTest {
 protected:
  // The events since the last call: "round harbour-... 4".
  std::vector<std::string> look() {
    events_.clear();
    watch_->look();
    return events_;
  }
  void SetUp() override {
    watch_ = std::make_unique<RunWatch>(
        std::vector{runs_folder()}, [this](std::string_view event, const std::string& text) {
          const Json json = Json::parse(text);
          std::string line = std::string(event) + " " + json["run"].get<std::string>();
          if (event == "round") line += " " + json["round"]["round"].dump();
          if (event == "evaluation")
            line += " " + json["round"].dump() + " " + json["evaluation"][0]["mean"].dump();
          events_.push_back(line);
        });
  }
  std::vector<std::string> events_;
  std::unique_ptr<RunWatch> watch_;
};

TEST_F(RunWatchTest, RoundsEvaluationsAndRunsArePublishedOnce) {
  const auto folder = make_run({"harbour-20260102-030405", 2});
  EXPECT_THAT(look(), IsEmpty()) << "whoever begins to read fetches what is there";
  EXPECT_THAT(look(), IsEmpty());
  {
    const auto store = *RunFolder::open(folder);
    EXPECT_THAT(look(), ElementsAre("run harbour-20260102-030405")) << "it runs";
    commit_next(*store);
    commit_next(*store);
    EXPECT_THAT(look(), ElementsAre("round harbour-20260102-030405 3", "round harbour-20260102-030405 4"));
    ASSERT_TRUE(store->record_evaluation(RoundId(3), {{"accuracy", 9, 10}}));
    EXPECT_THAT(look(), ElementsAre("evaluation harbour-20260102-030405 3 0.9"));
    ASSERT_TRUE(store->record_evaluation(RoundId(3), {{"accuracy", 8, 10}}));
    EXPECT_THAT(look(), ElementsAre("evaluation harbour-20260102-030405 3 0.8"));
    ASSERT_TRUE(store->record_end({RoundId(4), "2026-01-02T03:10:00Z", "all rounds are done"}));
  }
  EXPECT_THAT(look(), ElementsAre("run harbour-20260102-030405")) << "it is finished";
  make_run({"harbour-20260102-040000", 1});
  EXPECT_THAT(look(), ElementsAre("run harbour-20260102-040000"));
  std::filesystem::remove_all(folder);
  EXPECT_THAT(look(), ElementsAre("run harbour-20260102-030405"));
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(RunWatchTest, ManyRoundsAtOnceAreOneEvent) {
  const auto folder = make_run({"harbour-20260102-030405", 1});
  (void)look();
  {
    const auto store = *RunFolder::open(folder);
    for (std::uint32_t i = 0; i <= RunWatch::rounds_published_max; ++i) commit_next(*store);
  }
  EXPECT_THAT(look(), ElementsAre("run harbour-20260102-030405"));
}

TEST_F(RunWatchTest, AFolderThatIsMissingIsWaitedFor) {
  EXPECT_THAT(look(), IsEmpty());
  make_run({"harbour-20260102-030405", 1});
  EXPECT_THAT(look(), ElementsAre("run harbour-20260102-030405"));
}

}  // namespace
}  // namespace hansa::server
