// Which form the updates of a federation have: it depends on how they arrive and on how they are aggregated.
#pragma once
#include <cstddef>
#include <memory>
#include <optional>

#include "protocols/codecs/plan.h"
#include "server/aggregation/aggregation_config.h"
#include "server/aggregation/spool.h"
#include "server/aggregation/update_form.h"
#include "server/aggregation/worker_pool.h"

namespace hansa::server {

struct UpdateFormConfig {
  std::size_t elements = 0;  // values of an update
  std::shared_ptr<const codecs::Plan> uplink;  // none: float32
  // With secure aggregation, whose updates are masked: bits of a rounded value in the rounds after the first.
  std::optional<unsigned> masked_value_bits;
  AggregationConfig aggregation;
};

// The pools outlive the form.
[[nodiscard]] std::unique_ptr<UpdateForm> make_update_form(const UpdateFormConfig& config,
                                                           WorkerPool& workers, SpoolPool& spools);

}  // namespace hansa::server
