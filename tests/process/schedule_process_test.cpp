// A federation without a last round: it waits for new data, and ends when its model is good enough.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

using ::testing::HasSubstr;

class ScheduledFederation : public ProgramTest {};

TEST_F(ScheduledFederation, WithoutALastRoundItWaitsForDataAndEndsWhenItIsGoodEnough) {
  const std::string model = (folder / "model.pt").string(),
                    federation = (folder / "federation.toml").string();
  run("hansa", {"new", folder.string(), "--clients", "2", "--clients-min", "1"}, "new");
  std::filesystem::remove(model);
  run("hansa", {"model", "create", "logistic", model, "--inputs", "1", "--classes", "3"}, "model");
  run("hansa", {"model", "sign", model, "--key", (folder / "keys" / "root.key").string()}, "sign");
  replace(federation, "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
  // The training loss is all that is known of the model: it is known in the round itself.
  train_on_all_examples();
  replace(federation, "clients_expected = 2", "clients_expected = 1");
  replace(federation, "rounds = [0-9]+", "rounds = 0");
  replace(federation, "\\[simulation\\]",
          "[schedule]\nnew_examples = 30\n\n[schedule.until]\nreaches = 1000000.0\n\n[simulation]");
  replace(client_file(1), "\\[data\\][^\\[]*",
          "[data]\nkind = \"csv\"\nlabel = \"y\"\nfollow = true\nfile = \"../../grows.csv\"\n\n");
  std::ofstream file(folder / "grows.csv");
  file << "x,y\n" << std::flush;
  const auto write_rows = [&] {
    for (int i = 0; i < 20; ++i) file << i << "," << i % 3 << "\n";
    file << std::flush;
  };
  auto aggregator = start_aggregator("aggregator");
  auto client = start_client(1);
  write_rows();
  ASSERT_TRUE(aggregator.wait_for_output("the next round waits for 30 new examples (20 now)", seconds(60)))
      << aggregator.output();
  write_rows();
  EXPECT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  EXPECT_EQ(client.wait(seconds(60)), 0) << client.output();
  EXPECT_THAT(aggregator.output(), HasSubstr("round   1: 1 of 1 clients counted"));
  EXPECT_THAT(aggregator.output(), HasSubstr("no further round is needed: round 1 (training loss "));
  EXPECT_THAT(run("hansa", {"runs", folder.string()}, "runs"), HasSubstr("finished"));
  EXPECT_THAT(run("hansa", {"status", folder.string()}, "status"),
              HasSubstr("reached 1000000 (schedule.until.reaches)"));
  // A start says the same again, and begins nothing.
  auto again = start_aggregator("again");
  EXPECT_EQ(again.wait(seconds(60)), 0) << again.output();
  EXPECT_THAT(again.output(), HasSubstr("continuing after round 1, because"));
  EXPECT_THAT(again.output(), HasSubstr("no further round is needed"));
}

}  // namespace
}  // namespace hansa::testing
