// A client whose delta is like the others', and whose change of a vector that all clients follow is not. In whole federations:
// tests/simulation/method_vectors_test.cpp.
#include "server/coordinator/internal/update_norms.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/training.h"

namespace hansa::server {
namespace {

using Names = std::vector<std::string>;

constexpr double rate = 0.1;

// SCAFFOLD with batches of 10, one epoch, and an output scale of 16.
Method scaffold() {
  Method out{"scaffold", training_options({.epochs = 1, .batch_size = 10, .learning_rate = rate})};
  out.options.push_back({"output_scale", 16.0});
  return out;
}

// An update of SCAFFOLD whose delta belongs to a mean gradient with the norm `gradient`, and whose control variate changes by
// `change`: both in steps of 10 examples.
UpdateSize update(double gradient, double change, std::uint64_t examples = 100) {
  const double steps = static_cast<double>(examples) / 10;
  return {{gradient * steps * rate, change * 16 / static_cast<double>(examples)}, examples};
}

Names unlike(const std::vector<UpdateSize>& updates, const Method& method = scaffold(),
             double ratio_max = 10) {
  constexpr std::string_view output = "control_change";
  Names out;
  for (const UnlikeUpdate& found : unlike_updates(updates, method, {&output, 1}, ratio_max))
    out.push_back(std::to_string(found.index) + " " + std::string(found.vector));
  return out;
}

TEST(AdversaryVectors, AChangeThatIsSmallInTheWholeUpdateIsFound) {
  // The delta's norm is 1 and the change that is sent is 0.16: ten times as much hardly shows in the norm of both.
  EXPECT_EQ(unlike({update(1, 1), update(1, 1), update(1, 1), update(1, 20)}), Names{"3 control_change"});
  EXPECT_EQ(unlike({update(1, 1), update(1, 1), update(1, 1), update(1, 2)}), Names{});
}

TEST(AdversaryVectors, AClientThatIsNewMayChangeItsVariateByItsGradient) {
  // The others have nearly converged: their corrected gradients and changes are small. A client that takes part for the first
  // time changes its variate by its whole gradient, and its delta belongs to the same gradient.
  EXPECT_EQ(unlike({update(0.2, 0.01), update(0.2, 0.02), update(0.2, 0.01), update(1.9, 2.1)}), Names{});
  // The same change with the delta of the others is a lie.
  EXPECT_EQ(unlike({update(0.2, 0.01), update(0.2, 0.02), update(0.2, 0.01), update(0.2, 2.1)}),
            Names{"3 control_change"});
}

TEST(AdversaryVectors, AClientWithFewExamplesSendsALargerVectorAndIsHonest) {
  EXPECT_EQ(unlike({update(1, 1, 1'000), update(1, 1, 1'000), update(1, 1, 1'000), update(1, 1, 10)}),
            Names{});
}

TEST(AdversaryVectors, FewerExamplesThanTrainedAllowNoLargerChange) {
  // It has made 100 steps and says one: by its own numbers its mean gradient is 100.
  UpdateSize liar = update(1, 0, 1'000);
  liar.examples = 10;
  liar.norms[1] = 60 * 16 / 10.0;  // a change of 60
  EXPECT_EQ(unlike({update(1, 1, 1'000), update(1, 1, 1'000), update(1, 1, 1'000), liar}),
            Names{"3 control_change"});
}

TEST(AdversaryVectors, ALargeDeltaIsNamedAsOneAndOnce) {
  EXPECT_EQ(unlike({update(1, 1), update(1, 1), update(1, 1), update(20, 500)}), Names{"3 delta"});
}

TEST(AdversaryVectors, OfTwoUpdatesEitherMayBeWrong) {
  EXPECT_EQ(unlike({update(1, 1), update(1, 1'000)}), Names{});
}

TEST(AdversaryVectors, VectorsOfOtherMethodsAreComparedAsTheyAreSent) {
  const Method own{"own", {}};
  EXPECT_EQ(unlike({{{1, 2}, 5}, {{1, 2}, 500}, {{1, 2}, 5}, {{1, 21}, 5}}, own), Names{"3 control_change"});
  EXPECT_EQ(unlike({{{1, 2}, 5}, {{1, 2}, 500}, {{1, 2}, 5}, {{1, 19}, 5}}, own), Names{});
}

}  // namespace
}  // namespace hansa::server
