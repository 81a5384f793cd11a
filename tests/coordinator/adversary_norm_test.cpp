// Plain rounds: one client whose update or weight is nothing like those of the others. The model of such a round would
// make the training of all others diverge, who would then be blamed for it.
#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "server/coordinator/internal/plain_checks.h"
#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

using std::chrono::seconds;

class AdversaryNorm : public ::testing::Test {
 protected:
  AdversaryNorm() {
    CoordinatorConfig config = small_config();
    config.settings.admitted = {"a", "b", "c", "mallory"};
    config.settings.cohort.clients_min = 3;
    config.settings.cohort.clients_expected = 4;
    config.settings.cohort.quorum = 0.75;
    config.settings.cohort.attempts_max = 2;
    config.settings.rounds = 1'000;
    h.emplace(config);
    for (const char* const name : {"a", "b", "c"}) honest.push_back(h->connect(name));
    mallory = h->connect("mallory");
  }
  [[nodiscard]] bool has_mallory() const {
    const auto members = h->coordinator.progress(h->now).members;
    return std::ranges::any_of(members, [](const auto& m) { return m.client == "mallory"; });
  }
  void send(const Peer& from, double norm, std::uint64_t examples = 10) {
    messages::Offer offer = h->offer_of(from);
    offer.examples = examples;
    ASSERT_EQ(h->say(from, offer), Verdict::accepted) << from.name;
    ASSERT_GT(h->upload(from), 0U);
    ASSERT_EQ(h->apply(UpdateChecked{from.name, {}, {norm}}), Verdict::accepted);
    h->forget();
  }
  [[nodiscard]] bool logged(const std::string& text) const {
    const auto lines = h->all<Log>();
    return std::ranges::any_of(lines, [&](const Log& l) { return l.text.find(text) != std::string::npos; });
  }
  std::optional<Harness> h;
  std::vector<Peer> honest;
  Peer mallory;
};

TEST_F(AdversaryNorm, AHugeUpdateIsNotCommittedAndItsClientIsLeftOut) {
  send(mallory, 57.6 * 1'000);
  for (const Peer& peer : honest) {
    messages::Offer offer = h->offer_of(peer);
    ASSERT_EQ(h->say(peer, offer), Verdict::accepted);
    ASSERT_GT(h->upload(peer), 0U);
    ASSERT_EQ(h->apply(UpdateChecked{peer.name, {}, {1.5}}), Verdict::accepted);
  }
  EXPECT_TRUE(h->committed.empty());
  EXPECT_TRUE(logged("norm of more than limits.norm_ratio_max medians came from mallory"));
  EXPECT_TRUE(logged("mallory is left out of cohorts"));
  EXPECT_FALSE(logged("a is left out"));
}

TEST_F(AdversaryNorm, OneClientWithHugeUpdatesEndsNoRun) {
  std::uint32_t commits = 0;
  for (int step = 0; step < 200 && h->finished.empty() && commits < 20; ++step) {
    if (h->coordinator.phase() == Phase::in_round) {
      if (has_mallory()) send(mallory, 1e9);
      for (const Peer& peer : honest) send(peer, 1.0);
    }
    if (h->coordinator.phase() == Phase::committing) {
      ASSERT_EQ(h->commit(), Verdict::accepted);
      ++commits;
    }
    for (const Peer& peer : honest) h->say(peer, messages::Pong{});
    h->say(mallory, messages::Pong{});
    h->advance(seconds(1));
  }
  EXPECT_TRUE(h->finished.empty()) << h->finished[0].text;
  EXPECT_EQ(commits, 20U);
}

TEST_F(AdversaryNorm, AWeightFarAboveTheReportIsRefused) {
  messages::Offer offer = h->offer_of(mallory);
  offer.examples = 1 << 20;
  EXPECT_EQ(h->say(mallory, offer), Verdict::rejected);
  EXPECT_TRUE(logged("it counts 1048576 examples, and has reported 10"));
  for (const Peer& peer : honest) send(peer, 1);
  EXPECT_EQ(h->committed.size(), 1U) << "the round goes on without it";
}

TEST_F(AdversaryNorm, ADominantWeightIsReportedOnce) {
  for (int round = 0; round < 2; ++round) {
    send(mallory, 1, 1'000);
    for (std::size_t i = 0; i < 2; ++i) send(honest[i], 1);
    messages::Offer last = h->offer_of(honest[2]);
    ASSERT_EQ(h->say(honest[2], last), Verdict::accepted);
    ASSERT_GT(h->upload(honest[2]), 0U);
    ASSERT_EQ(h->apply(UpdateChecked{"c", {}, {1}}), Verdict::accepted);
    EXPECT_EQ(logged("mallory has 1000 of the 1030 examples of round 1"), round == 0);
    EXPECT_FALSE(logged("of round 2"));
    ASSERT_EQ(h->commit(), Verdict::accepted);
    h->forget();
  }
}

TEST(AdversaryOutliers, OnlyWhatIsUnlikeMostIsOne) {
  using Indices = std::vector<std::size_t>;
  EXPECT_EQ(outliers(std::vector<double>{1, 2, 3, 31}, 10), Indices{3});
  EXPECT_EQ(outliers(std::vector<double>{1, 2, 3, 20}, 10), Indices{});
  EXPECT_EQ(outliers(std::vector<double>{1, 1e30}, 10), Indices{}) << "of two, either may be wrong";
  EXPECT_EQ(outliers(std::vector<double>{0, 0, 0, 1, 1, 2}, 10), Indices{}) << "clients that changed nothing";
  EXPECT_EQ(outliers(std::vector<double>{1e-30, 1e-30, 1, 1, 1}, 10), Indices{}) << "tiny ones blame nobody";
  EXPECT_EQ(outliers(std::vector<double>{std::numeric_limits<double>::infinity(), 1, 1}, 10), Indices{0});
}

TEST(AdversaryOutliers, TheReportLimitsTheWeight) {
  const Method method = sgd_method({});
  EXPECT_EQ(weight_limit(10, method, 1 << 20), 1'064U);
  EXPECT_EQ(weight_limit(100'000, method, 1 << 20), 401'024U);
  EXPECT_EQ(weight_limit(std::numeric_limits<std::uint64_t>::max(), method, 1 << 20), std::uint64_t{1} << 20);
}

}  // namespace
}  // namespace hansa::server::testing
