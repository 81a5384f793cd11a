// A rate limit for each of many subjects (names, addresses) in bounded memory. No clock; one thread.
//
// At the maximum, subjects that are not limited now are forgotten. If all of them are limited, all are forgotten: a flood
// from that many subjects is not limited by subject, and needs a limit in total.
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "common/token_bucket.h"

namespace hansa {

class BucketTable {
 public:
  static constexpr std::size_t subjects_max = 16'384;

  explicit BucketTable(const RateLimit& limit) : limit_(limit) {}

  // False if the subject exceeds the rate. `now` must not be earlier than in the previous call.
  [[nodiscard]] bool take(std::string_view subject, Instant now) {
    Level& level = find(subject, now);
    level = {tokens(level, now), now};
    if (level.tokens < 1) return false;
    level.tokens -= 1;
    return true;
  }
  // Whether take() would succeed.
  [[nodiscard]] bool allows(std::string_view subject, Instant now) const {
    const auto found = levels_.find(subject);
    return found == levels_.end() || tokens(found->second, now) >= 1;
  }
  [[nodiscard]] const RateLimit& limit() const { return limit_; }
  [[nodiscard]] std::size_t size() const { return levels_.size(); }

 private:
  struct Level {
    double tokens = 0;
    Instant at;
  };
  [[nodiscard]] double tokens(const Level& level, Instant now) const {
    return std::min(limit_.capacity, level.tokens + seconds(now - level.at) * limit_.per_second);
  }
  Level& find(std::string_view subject, Instant now) {
    const auto found = levels_.find(subject);
    if (found != levels_.end()) return found->second;
    if (levels_.size() >= subjects_max) {
      std::erase_if(levels_, [&](const auto& entry) { return tokens(entry.second, now) >= limit_.capacity; });
      if (levels_.size() >= subjects_max) levels_.clear();
    }
    return levels_.emplace(subject, Level{limit_.capacity, now}).first->second;
  }

  RateLimit limit_;
  std::map<std::string, Level, std::less<>> levels_;
};

}  // namespace hansa
