#include "common/spelling.h"

#include <gtest/gtest.h>

#include <vector>

namespace hansa {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("stauts", "status"), 1U);
  EXPECT_EQ(edit_distance("rounds", "round"), 1U);
}

TEST(NearestWord, FindsTheWordThatWasMeant) {
  const std::vector<std::string> known{"epochs", "batch_size", "learning_rate", "momentum"};
  EXPECT_EQ(nearest_word("epoch", known), "epochs");
  EXPECT_EQ(nearest_word("learning-rate", known), "learning_rate");
  EXPECT_EQ(nearest_word("batchsize", known), "batch_size");
}

TEST(NearestWord, SuggestsNothingIfNoWordIsNear) {
  const std::vector<std::string> known{"epochs", "momentum"};
  EXPECT_FALSE(nearest_word("dropout", known));
  EXPECT_FALSE(nearest_word("", known));
  EXPECT_FALSE(nearest_word(std::string(100'000, 'e'), known));
  EXPECT_FALSE(nearest_word("epochs", {}));
}

}  // namespace
}  // namespace hansa
