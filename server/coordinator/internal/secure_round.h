// The secure sum of the round in work.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "common/time.h"
#include "protocols/secure_aggregation/aggregator.h"
#include "server/aggregation/update_setup.h"
#include "server/store/store.h"

namespace hansa::server {

struct SecureRound {
  secure_aggregation::AggregatorSum sum;
  Digest id;  // of the setup: what its messages name
  UpdateSizes sizes;  // of a masked update
  Instant phase_until;
  std::shared_ptr<const std::vector<std::byte>> roster;  // encoded, once it is fixed
  double setup_seconds = 0;  // until shares were delivered
  std::optional<RoundRecord> record;  // once no masked vector is waited for
  bool unmask_failed = false;  // with those that had answered then
};

}  // namespace hansa::server
