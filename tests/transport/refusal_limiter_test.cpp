#include <gtest/gtest.h>

#include "protocols/transport/internal/refusal_limiter.h"

namespace hansa::transport {
namespace {

Error refusal(const std::string& location, const std::string& what) {
  return {ErrorCode::refused, location, what, ""};
}

TEST(RefusalLimiter, TheSameRefusalIsReportedOnceInAWindow) {
  RefusalLimiter limiter;
  const Instant start(std::chrono::hours(1));
  EXPECT_TRUE(limiter.allows(refusal("10.0.0.1", "x"), start));
  EXPECT_FALSE(limiter.allows(refusal("10.0.0.1", "x"), start + std::chrono::seconds(9)));
  EXPECT_TRUE(limiter.allows(refusal("10.0.0.2", "x"), start + std::chrono::seconds(9)));
  EXPECT_TRUE(limiter.allows(refusal("10.0.0.1", "x"), start + std::chrono::seconds(10)));
}

TEST(RefusalLimiter, AnOriginWithManyDifferentRefusalsIsCapped) {
  RefusalLimiter limiter;
  std::size_t allowed = 0;
  for (int i = 0; i < 1000; ++i)
    allowed += limiter.allows(refusal("10.0.0.1", std::to_string(i)), Instant()) ? 1 : 0;
  EXPECT_EQ(allowed, RefusalLimiter::per_location_max);
}

TEST(RefusalLimiter, AFloodFromManyOriginsIsCapped) {
  RefusalLimiter limiter;
  std::size_t allowed = 0;
  for (int i = 0; i < 100'000; ++i)
    allowed += limiter.allows(refusal(std::to_string(i), "x"), Instant()) ? 1 : 0;
  EXPECT_GT(allowed, 0u);
  EXPECT_LE(allowed, RefusalLimiter::entries_max);
}

}  // namespace
}  // namespace hansa::transport
