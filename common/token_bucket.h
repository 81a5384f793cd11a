// Limits a rate: a full bucket allows `capacity` at once, and it fills at `per_second`. One thread.
#pragma once
#include <algorithm>

#include "common/time.h"

namespace hansa {

struct RateLimit {
  double capacity = 1;
  double per_second = 1;
};

class TokenBucket {
 public:
  explicit TokenBucket(const RateLimit& limit) : limit_(limit), tokens_(limit.capacity) {}

  // False if the rate is exceeded. `now` must not be earlier than in the previous call.
  [[nodiscard]] bool take(Instant now) {
    if (filled_at_ != Instant{})
      tokens_ = std::min(limit_.capacity, tokens_ + seconds(now - filled_at_) * limit_.per_second);
    filled_at_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  RateLimit limit_;
  double tokens_;
  Instant filled_at_{};
};

}  // namespace hansa
