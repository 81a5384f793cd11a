// Changes of a run's folder are reported, and reading a run is none.
#include "tools/run_follower.h"

#include <chrono>
#include <fstream>

#include <gtest/gtest.h>
#include <poll.h>

#include "server/store/run_catalogue.h"
#include "tests/server_parts/run_folder_fixture.h"

namespace hansa::tools {
namespace {

class RunFollowers : public server::RunFolderTest {
 protected:
  static RunFollower::Changes next(RunFollower& follower) {
    pollfd wait{follower.descriptor(), POLLIN, 0};
    EXPECT_EQ(::poll(&wait, 1, 60'000), 1) << "nothing was reported";
    return follower.take();
  }
  RunFollower follow(const std::filesystem::path& runs = {}) {
    auto follower = RunFollower::open(path_, runs);
    EXPECT_TRUE(follower) << follower.error().text();
    return std::move(*follower);
  }
};

TEST_F(RunFollowers, CommitsAndEvaluationsAreReportedAndReadingIsNot) {
  const auto store = open();
  ASSERT_TRUE(server::begin(*store));
  RunFollower follower = follow();
  ASSERT_TRUE(server::commit(*store, 1));
  EXPECT_TRUE(next(follower).run);
  ASSERT_TRUE(store->record_evaluation(RoundId{1}, {{"loss", 1, 1}}));
  EXPECT_TRUE(next(follower).run);
  (void)follower.take();
  {
    const auto reader = server::open_run_read_only(path_);
    ASSERT_TRUE(reader && (*reader)->rounds());
  }
  EXPECT_FALSE(follower.take().run);
}

TEST_F(RunFollowers, TheEndOfTheProcessThatHoldsTheRunIsReported) {
  auto store = open();
  ASSERT_TRUE(server::begin(*store));
  RunFollower follower = follow();
  store.reset();
  EXPECT_TRUE(next(follower).run);
}

TEST_F(RunFollowers, ANewerRunIsReportedWhenItIsThereAndWhenItChanges) {
  fill(1);
  RunFollower follower = follow(path_.parent_path());
  const auto second = path_.parent_path() / "second";
  auto opened = server::RunFolder::open(second);
  ASSERT_TRUE(opened);
  RunFollower::Changes changes = next(follower);
  EXPECT_EQ(changes.newer, second);
  ASSERT_TRUE(server::begin(**opened));
  EXPECT_EQ(next(follower).newer, second);
  ASSERT_TRUE(follower.follow(second));
  (void)follower.take();
  ASSERT_TRUE(server::commit(**opened, 1));
  changes = next(follower);
  EXPECT_TRUE(changes.run);
  EXPECT_FALSE(changes.newer);
}

TEST_F(RunFollowers, TheFirstRunOfAFolderThatIsNotThereYetIsReported) {
  auto follower = RunFollower::open({}, path_.parent_path());
  ASSERT_TRUE(follower) << follower.error().text();
  // Something else next to it is no event.
  std::filesystem::create_directory(folder_.path() / "other");
  EXPECT_FALSE(next(*follower).newer);
  const auto store = open();
  RunFollower::Changes changes = next(*follower);
  while (!changes.newer) changes = next(*follower);
  EXPECT_EQ(changes.newer, path_);
  (void)follower->take();
  ASSERT_TRUE(server::begin(*store));
  EXPECT_EQ(next(*follower).newer, path_);
}

TEST_F(RunFollowers, ARunThatHasAFolderAndNotBegunIsReportedWhenItBegins) {
  const auto store = open();
  auto follower = RunFollower::open({}, path_.parent_path());
  ASSERT_TRUE(follower) << follower.error().text();
  ASSERT_TRUE(server::begin(*store));
  EXPECT_EQ(next(*follower).newer, path_);
}

TEST_F(RunFollowers, AFolderThatIsNotThereIsAnError) { EXPECT_FALSE(RunFollower::open(path_ / "none", {})); }

}  // namespace
}  // namespace hansa::tools
