#include "protocols/transport/internal/refusal_limiter.h"

namespace hansa::transport {

bool RefusalLimiter::allows(const Error& refusal, Instant now) {
  if (now - window_start_ >= window) {
    counts_.clear();
    window_start_ = now;
  }
  if (counts_.size() + 2 > entries_max) return false;
  if (++counts_[refusal.location + '\n' + refusal.what] > 1) return false;
  return ++counts_[refusal.location] <= per_location_max;
}

}  // namespace hansa::transport
