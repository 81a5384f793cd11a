// A robust rule makes one vector from the updates of a round in such a way that a few of them, however wrong, cannot lead
// it away: a file for each rule. A rule that weights updates equally says so; weights are examples, which a client claims.
//
// Pure: the same updates give the same bits, whatever the number of threads. Any thread may call a rule.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "common/error.h"
#include "server/aggregation/worker_pool.h"

namespace hansa::server {

struct RobustUpdate {
  std::uint64_t weight = 0;  // examples, at least 1
  std::span<const float> values;  // finite
};

class RobustRule {
 public:
  virtual ~RobustRule() = default;
  // Without as many updates the rule promises nothing.
  [[nodiscard]] virtual std::size_t updates_min() const = 0;
  // Requires updates_min() updates or more, each of out.size() values. Writes the rule's estimate to out. With
  // is_recursive(), out holds the estimate of the round before, and zeros before the first.
  virtual void estimate(std::span<const RobustUpdate> updates, WorkerPool& workers,
                        std::span<float> out) const = 0;
  // Whether the estimate begins at that of the round before.
  [[nodiscard]] virtual bool is_recursive() const { return false; }
};

}  // namespace hansa::server
