// Rate limits of many subjects in bounded memory.
#include "common/bucket_table.h"

#include <gtest/gtest.h>

namespace hansa {
namespace {

constexpr Instant start{std::chrono::seconds(1000)};

TEST(BucketTable, LimitsEachSubjectByItself) {
  BucketTable table({2, 1});
  EXPECT_TRUE(table.take("a", start));
  EXPECT_TRUE(table.take("a", start));
  EXPECT_FALSE(table.allows("a", start));
  EXPECT_FALSE(table.take("a", start));
  EXPECT_TRUE(table.take("b", start));
  EXPECT_TRUE(table.take("a", start + std::chrono::seconds(1)));
  EXPECT_FALSE(table.take("a", start + std::chrono::seconds(1)));
}

TEST(BucketTable, ALongPauseFillsNoMoreThanTheCapacity) {
  BucketTable table({2, 1});
  EXPECT_TRUE(table.take("a", start));
  const Instant later = start + std::chrono::hours(1);
  EXPECT_TRUE(table.take("a", later));
  EXPECT_TRUE(table.take("a", later));
  EXPECT_FALSE(table.take("a", later));
}

TEST(AdversaryBucketTable, ManySubjectsDoNotFillTheMemoryAndKeepTheLimitOfOthers) {
  BucketTable table({1, 0.001});
  for (std::size_t i = 0; i + 1 < BucketTable::subjects_max; ++i)
    EXPECT_TRUE(table.take("early " + std::to_string(i), start));
  const Instant later = start + std::chrono::seconds(1001);  // the early ones are not limited any more
  EXPECT_TRUE(table.take("limited", later));
  for (std::size_t i = 0; i < 3 * BucketTable::subjects_max / 4; ++i)
    static_cast<void>(table.take("late " + std::to_string(i), later));
  EXPECT_FALSE(table.take("limited", later));
  EXPECT_LE(table.size(), BucketTable::subjects_max);
}

}  // namespace
}  // namespace hansa
