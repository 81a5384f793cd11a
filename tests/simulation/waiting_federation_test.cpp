// Whole federations in which a client always fails its task, all wait for new data, or one leaves in the middle of a
// round: the aggregator continues without it, or waits, and each of its lines names the cause.
#include <algorithm>

#include <gtest/gtest.h>

#include "learning/data_supply.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/world.h"

namespace hansa::testing {
namespace {

using server::Finish;
using std::chrono::minutes;
using std::chrono::seconds;

// The default settings of a federation of three sites.
World three_sites(std::uint64_t seed) {
  World world;
  world.options.seed = seed;
  world.options.clients = 3;
  world.options.clients_min = 2;
  world.options.quorum = 0.8;
  world.options.elements = 40;
  world.options.rounds = 6;
  world.options.network.latency_max = std::chrono::milliseconds(50);
  world.options.training_max = seconds(3);
  world.options.wait_max = {};
  world.options.attempts_max = 0;
  return world;
}

void expect_done(const World& world) {
  expect_all_rounds(world);
  EXPECT_EQ(check_records(world), "");
  EXPECT_EQ(check_models(world), "");
}

std::size_t lines(const World& world, const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      world.log, [&](const std::string& line) { return line.find(text) != std::string::npos; }));
}

std::string all_lines(const World& world) {
  std::string out;
  for (const std::string& line : world.log) out += line + "\n";
  return out;
}

// A site whose trainings fail for the first `failures` times.
class FailingTrainer final : public learning::Trainer {
 public:
  FailingTrainer(std::shared_ptr<learning::Trainer> trainer, std::uint64_t failures)
      : trainer_(std::move(trainer)), left_(failures) {}
  [[nodiscard]] const MethodTable& methods() const override { return trainer_->methods(); }
  Result<learning::AvailableData> available_data(std::stop_token stop) override {
    return trainer_->available_data(std::move(stop));
  }
  Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                         std::span<const learning::OutputVector> outputs,
                                         std::stop_token stop) override {
    if (left_ == 0) return trainer_->train(request, outputs, std::move(stop));
    --left_;
    Error error{ErrorCode::model, "layer", "cannot be computed", ""};
    error.reason.code = ReasonCode::training_failed;
    return tl::make_unexpected(error);
  }

 private:
  std::shared_ptr<learning::Trainer> trainer_;
  std::uint64_t left_;
};

void make_fail(World& world, std::vector<std::string> names, std::uint64_t failures) {
  world.options.equip = [names, failures](simulation::ClientSetup& client) {
    if (std::ranges::find(names, client.name) != names.end())
      client.trainer = std::make_shared<FailingTrainer>(client.trainer, failures);
  };
}

TEST(WaitingFederation, OneSiteThatAlwaysFailsStopsNobody) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world = three_sites(seed);
    make_fail(world, {"client-102"}, ~0ULL);
    world.run();
    expect_done(world);
    EXPECT_EQ(lines(world, "is abandoned"), 0U) << all_lines(world) << "two of three are a quorum";
    EXPECT_GE(lines(world, "client-102 declined: "), 1U);
    EXPECT_LE(lines(world, "client-102 declined: "), 5U) << all_lines(world);
  }
}

TEST(WaitingFederation, TooManySitesThatFailForAWhileAreWaitedFor) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world = three_sites(seed);
    make_fail(world, {"client-101", "client-102"}, 8);
    world.run();
    expect_done(world);
    EXPECT_GE(lines(world, "waiting for clients: "), 1U) << all_lines(world);
    EXPECT_GE(lines(world, "takes part in rounds again"), 1U) << all_lines(world);
    EXPECT_EQ(lines(world, "start the missing clients"), 0U) << "nobody is missing";
  }
}

TEST(WaitingFederation, WithLimitsItEndsWithTheTrueCause) {
  World world = three_sites(1);
  make_fail(world, {"client-101", "client-102"}, ~0ULL);
  world.options.wait_max = seconds(120);
  world.options.attempts_max = 5;
  world.run();
  ASSERT_TRUE(world.outcome.has_value());
  EXPECT_EQ(world.outcome->finish.why, Finish::Why::gave_up);
  EXPECT_NE(world.outcome->finish.text.find("the model's code failed"), std::string::npos)
      << world.outcome->finish.text;
  EXPECT_EQ(world.outcome->finish.hint.find("start"), std::string::npos) << world.outcome->finish.hint;
  EXPECT_LT(world.outcome->virtual_time, minutes(10));
}

// A site whose data arrives: `fresh` examples are new until an update with them is counted.
struct Site final : learning::DataSupply {
  std::uint64_t fresh = 0;
  Result<learning::AvailableData> available() override { return learning::AvailableData{50, fresh, {}}; }
  Result<learning::TrainingData> open(TaskId) override {
    return fail(ErrorCode::internal, "site", "is not read");
  }
  void room_again() override { fresh = 0; }
};
class SiteTrainer final : public learning::Trainer {
 public:
  SiteTrainer(std::shared_ptr<Site> site, std::uint64_t examples)
      : site_(std::move(site)), trainer_(examples) {}
  [[nodiscard]] const MethodTable& methods() const override { return trainer_.methods(); }
  Result<learning::AvailableData> available_data(std::stop_token) override { return site_->available(); }
  Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                         std::span<const learning::OutputVector> outputs,
                                         std::stop_token stop) override {
    return trainer_.train(request, outputs, std::move(stop));
  }

 private:
  std::shared_ptr<Site> site_;
  FakeTrainer trainer_;
};

TEST(WaitingFederation, WithoutNewDataItWaitsAndGoesOnWhenThereIsSome) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world = three_sites(seed);
    std::uint32_t number = 0;
    world.options.equip = [&](simulation::ClientSetup& client) {
      const auto site = std::make_shared<Site>();
      client.trainer = std::make_shared<SiteTrainer>(site, 10);
      client.data = site;
      client.decline_without_new = true;
      // None for ten minutes; then some every minute, a few seconds apart.
      for (int i = 0; i < 12; ++i)
        client.arrivals.push_back({minutes(10 + i) + seconds(3 * number), [site] { site->fresh += 10; }});
      ++number;
    };
    world.run();
    expect_done(world);
    EXPECT_GT(world.outcome->virtual_time, minutes(10));
    EXPECT_LT(world.outcome->virtual_time, minutes(20)) << all_lines(world);
    EXPECT_GE(lines(world, "waiting for new data: 0 of 3 clients have some"), 1U) << all_lines(world);
    EXPECT_LE(lines(world, "waiting for "), 8U) << all_lines(world);
    EXPECT_EQ(lines(world, "is abandoned"), 0U) << all_lines(world);
  }
}

TEST(WaitingFederation, ASiteThatLeavesInTheMiddleOfARoundIsNotAwaited) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const double quorum : {0.8, 1.0}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", quorum " + std::to_string(quorum));
      World world = three_sites(seed);
      world.options.quorum = quorum;
      world.options.training_max = seconds(20);
      world.options.equip = [&](simulation::ClientSetup& client) {
        if (client.name == "client-102") client.leaves_after = seconds(15 + seed);
      };
      world.run();
      expect_done(world);
      EXPECT_EQ(lines(world, "at the deadline"), 0U) << all_lines(world);
      for (const auto& record : world.disk->rounds) EXPECT_LT(record.seconds, 60) << "half of the deadline";
      EXPECT_LT(world.outcome->virtual_time, minutes(4)) << all_lines(world);
    }
  }
}

}  // namespace
}  // namespace hansa::testing
