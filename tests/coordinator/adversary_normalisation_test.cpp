// FedNova multiplies the model's step by a mean of what clients report of their steps: an update whose report cannot be right is
// refused. AdversaryFedNova (tests/server_parts) bounds the mean, which is all that is known of a secure sum.
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/coordinator/harness.h"

namespace hansa::server::testing {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

struct Claim {
  Metrics metrics;  // of an update of 10 examples
  const char* problem;  // empty: it is possible
};
const std::vector<Claim>& claims() {
  static const std::vector<Claim> all{
      {{{"normalisation", 0, 10}}, ""},
      {{{"loss", 5, 10}, {"normalisation", -9.99, 10}}, ""},
      {{{"normalisation", 30, 10}}, ""},  // four times the reference
      {{{"normalisation", 30.1, 10}}, "cannot be that of a training"},
      {{{"normalisation", -10, 10}}, "cannot be that of a training"},  // no step at all
      {{{"normalisation", 1e300, 10}}, "cannot be that of a training"},
      {{{"normalisation", nan, 10}}, "cannot be that of a training"},
      {{{"normalisation", infinite, 10}}, "cannot be that of a training"},
      {{{"normalisation", -infinite, 10}}, "cannot be that of a training"},
      {{{"normalisation", 0, 1'000'000}}, "is not for the update's examples"},  // would outweigh all others
      {{{"normalisation", 0, 0}}, "is not for the update's examples"},
      {{{"normalisation", 0, -10}}, "is not for the update's examples"},
      {{{"normalisation", 0, nan}}, "is not for the update's examples"},
      {{{"loss", 5, 10}}, "must be there once"},
      {{{"normalisation", 0, 10}, {"normalisation", 30, 10}}, "must be there once"},
  };
  return all;
}

TEST(AdversaryNormalisation, OnlyWhatATrainingCanHaveIsCounted) {
  for (const auto& [metrics, problem] : claims()) {
    CoordinatorConfig config = small_config();
    config.settings.method.name = "fednova";
    Harness h(config);
    std::vector<Peer> peers;
    for (const char* const name : {"a", "b", "c"}) peers.push_back(h.connect(name));
    messages::Offer offer = h.offer_of(peers[0]);
    offer.metrics = metrics;
    h.forget();
    const auto verdict = h.say(peers[0], offer);
    const auto receipts = h.sent<messages::Receipt>(peers[0]);
    if (*problem == 0) {
      EXPECT_EQ(verdict, Verdict::accepted) << metrics.back().sum;
      EXPECT_TRUE(receipts.empty());
      continue;
    }
    EXPECT_EQ(verdict, Verdict::rejected) << problem << " " << metrics.back().sum;
    ASSERT_EQ(receipts.size(), 1U) << problem;
    EXPECT_EQ(receipts[0].verdict, messages::Verdict::rejected);
    EXPECT_NE(receipts[0].reason.find(problem), std::string::npos) << receipts[0].reason;
  }
}

TEST(AdversaryNormalisation, OtherMethodsDoNotNeedIt) {
  Harness h(small_config());
  const Peer peer = h.connect("a");
  (void)h.connect("b");
  EXPECT_EQ(h.say(peer, h.offer_of(peer)), Verdict::accepted);
}

}  // namespace
}  // namespace hansa::server::testing
