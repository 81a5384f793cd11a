#include <gtest/gtest.h>

#include "common/log_budget.h"
#include "common/token_bucket.h"

namespace hansa {
namespace {

using std::chrono::seconds;

constexpr Instant start{std::chrono::hours(1)};

int allowed(LogBudget& budget, const std::string& subject, const std::string& reason, int lines) {
  int out = 0;
  for (int i = 0; i < lines; ++i) out += budget.allows(subject, reason, start) ? 1 : 0;
  return out;
}

TEST(AdversaryLog, AFloodOfOneReasonIsCountedAndNotWritten) {
  LogBudget budget;
  EXPECT_EQ(allowed(budget, "ada", "notice", 317), 5);
  EXPECT_TRUE(budget.take_omitted(start + seconds(59)).empty());
  const auto omitted = budget.take_omitted(start + seconds(60));
  ASSERT_EQ(omitted.size(), 1U);
  EXPECT_EQ(omitted[0].subject, "ada");
  EXPECT_EQ(omitted[0].text(), "... and 312 more in the last minute (notice)");
  EXPECT_EQ(allowed(budget, "ada", "notice", 10), 5) << "another minute";
}

TEST(AdversaryLog, ManyReasonsOfOneClientAreBoundedTogether) {
  LogBudget budget;
  int lines = 0;
  for (int i = 0; i < 1'000; ++i) lines += allowed(budget, "ada", std::to_string(i), 1);
  EXPECT_EQ(lines, 20);
  EXPECT_EQ(allowed(budget, "bob", "gone", 1), 1) << "another client is not affected";
  std::uint64_t omitted = 0;
  for (const auto& lines_left_out : budget.take_omitted(start + seconds(60))) omitted += lines_left_out.lines;
  EXPECT_EQ(omitted, 980U);
}

TEST(AdversaryLog, AFloodFromManyAddressesIsBounded) {
  LogBudget budget;
  int lines = 0;
  for (int i = 0; i < 20'000; ++i) lines += allowed(budget, std::to_string(i), "x", 1);
  EXPECT_LE(lines, static_cast<int>(LogBudget::subjects_max));
  EXPECT_EQ(budget.take_omitted(start + seconds(60)).size(), 1U);
}

TEST(TokenBucket, AllowsABurstAndThenARate) {
  TokenBucket bucket({3, 2});
  int taken = 0;
  for (int i = 0; i < 10; ++i) taken += bucket.take(start) ? 1 : 0;
  EXPECT_EQ(taken, 3);
  for (int i = 0; i < 10; ++i) taken += bucket.take(start + seconds(1)) ? 1 : 0;
  EXPECT_EQ(taken, 5);
}

}  // namespace
}  // namespace hansa
