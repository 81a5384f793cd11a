#include "tools/run_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "common/files.h"
#include "common/parameter_layout.h"
#include "common/vector_digest.h"
#include "server/store/run_folder.h"
#include "tests/temporary_folder.h"

namespace hansa::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RunReference, IsAFolderOrAFolderAndARound) {
  EXPECT_EQ(parse_run_reference("runs/a")->run, "runs/a");
  EXPECT_FALSE(parse_run_reference("runs/a")->round);
  EXPECT_EQ(parse_run_reference("runs/a@20")->run, "runs/a");
  EXPECT_EQ(parse_run_reference("runs/a@20")->round, RoundId(20));
  EXPECT_EQ(parse_run_reference("runs/a@0")->round, RoundId(0));
}

TEST(RunReference, TheTextAfterTheSignMustBeARound) {
  for (const char* text : {"runs/a@", "runs/a@x", "runs/a@1x", "runs/a@-1", "runs/a@99999999999"}) {
    const auto reference = parse_run_reference(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().code, ErrorCode::usage);
  }
}

TEST(RunReference, AFolderWhoseNameContainsTheSignIsFound) {
  const TemporaryFolder folder;
  const auto odd = folder.path() / "a@7";
  ASSERT_TRUE(make_folders(odd));
  EXPECT_EQ(parse_run_reference(odd.string())->run, odd);
  EXPECT_FALSE(parse_run_reference(odd.string())->round);
}

class RunModels : public ::testing::Test {
 protected:
  void SetUp() override {
    auto run = server::RunFolder::open(folder_.path() / "run").value();
    std::ofstream(run->archive_path()) << "archive";
    const auto layout = ParameterLayout::parse("trainable w 2\n", "").value();
    ASSERT_TRUE(run->put_layout(layout.text()));
    server::RunIdentity identity;
    identity.federation = "f";
    identity.run = "run";
    identity.layout = layout.digest();
    const std::array<float, 2> initial{0, 0};
    identity.initial_model = vector_digest(initial);
    ASSERT_TRUE(run->begin_run(identity, initial));
    for (std::uint32_t round = 1; round <= 3; ++round) {
      const std::array<float, 2> model{static_cast<float>(round), 0.5F};
      server::RoundRecord record;
      record.round = RoundId(round);
      record.base = run->position().value()->model;
      record.model = run->put_model(model).value();
      record.started_at = "2026-01-01T00:00:00Z";
      ASSERT_TRUE(run->commit_round(record));
    }
  }
  TemporaryFolder folder_;
};

TEST_F(RunModels, WithoutARoundTheLastIsLoaded) {
  const auto model = load_run_model({folder_.path() / "run", {}});
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->round, RoundId(3));
  EXPECT_THAT(model->parameters, ElementsAre(3.0F, 0.5F));
}

TEST_F(RunModels, EachCommittedRoundAndTheInitialModelAreLoaded) {
  EXPECT_THAT(load_run_model({folder_.path() / "run", RoundId(1)})->parameters, ElementsAre(1.0F, 0.5F));
  EXPECT_THAT(load_run_model({folder_.path() / "run", RoundId(0)})->parameters, ElementsAre(0.0F, 0.0F));
}

TEST_F(RunModels, ARoundWhoseModelWasRemovedIsRefusedNamingThoseThatAreHeld) {
  ASSERT_TRUE(server::RunFolder::open(folder_.path() / "run", *server::parse_retention("every:2", "")));
  const auto model = load_run_model({folder_.path() / "run", RoundId(1)});
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().text(), HasSubstr("no longer holds the model of round 1"));
  EXPECT_THAT(model.error().text(), HasSubstr("it holds the models of rounds 0, 2 and 3"));
}

TEST_F(RunModels, ARoundThatIsNotCommittedIsRefusedNamingTheLast) {
  const auto model = load_run_model({folder_.path() / "run", RoundId(4)});
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().text(), HasSubstr("its last round is 3"));
}

}  // namespace
}  // namespace hansa::tools
