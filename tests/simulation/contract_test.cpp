// A federation with a data contract: the site whose columns are in another order does not train and is named with the
// column, and the others go on.
#include <algorithm>

#include <gtest/gtest.h>

#include "common/data_contract.h"
#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

DataDescription hospital(std::vector<std::string> columns) {
  DataDescription out;
  out.inputs = {{"x", ElementType::float32, {static_cast<std::int64_t>(columns.size())}}};
  out.class_count = 2;
  out.columns = std::move(columns);
  out.label = "outcome";
  return out;
}

World federation(const std::string& reversed) {
  World world;
  world.options.contract = contract_of(hospital({"age", "bmi", "pressure"}));
  world.options.equip = [reversed](simulation::ClientSetup& client) {
    auto trainer = std::make_shared<FakeTrainer>(40);
    trainer->set_description(client.name == reversed ? hospital({"pressure", "bmi", "age"})
                                                     : hospital({"age", "bmi", "pressure"}));
    client.trainer = std::move(trainer);
  };
  return world;
}

bool has_line(const std::vector<std::string>& log, const std::string& client, const std::string& text) {
  return std::ranges::any_of(log, [&](const std::string& line) {
    return line.starts_with(client) && line.find(text) != std::string::npos;
  });
}

TEST(ContractFederation, TheSiteWithReversedColumnsIsNamedAndTheOthersGoOn) {
  World world = federation("client-102");
  world.options.keep_heard = true;
  world.run();
  ASSERT_TRUE(world.outcome) << world.outcome.error().text();
  EXPECT_EQ(world.outcome->last_committed.value, world.options.rounds);
  for (const auto& record : world.disk->rounds) {
    EXPECT_EQ(record.participations.size(), world.options.clients - 1);
    for (const auto& p : record.participations) EXPECT_NE(p.client, "client-102");
  }
  EXPECT_TRUE(has_line(world.log, "client-102",
                       "cannot train: column 1: its columns are not those of the data contract"));
  EXPECT_TRUE(
      has_line(world.client_log, "client-102", "set data.columns = [\"age\", \"bmi\", \"pressure\"]"));
  EXPECT_EQ(world.heard.find("pressure"), std::string::npos) << "no name leaves a device";
}

TEST(ContractFederation, CrashesAndLostMessagesLetNoBadDataIn) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    World world = federation("client-101");
    world.options.seed = seed;
    world.options.crashes.aggregator_per_effect = 0.002;
    world.options.crashes.client_per_effect = 0.002;
    world.options.crashes.crashes_max = 6;
    world.run();
    ASSERT_TRUE(world.outcome) << "seed " << seed << ": " << world.outcome.error().text();
    EXPECT_EQ(world.outcome->last_committed.value, world.options.rounds) << "seed " << seed;
    for (const auto& record : world.disk->rounds)
      for (const auto& p : record.participations) EXPECT_NE(p.client, "client-101") << "seed " << seed;
  }
}

}  // namespace
}  // namespace hansa::testing
