// Chooses the form of a federation's updates, which depends on their encoding and on the aggregation rule.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "protocols/codecs/plan.h"
#include "server/aggregation/aggregation_config.h"
#include "server/aggregation/spool.h"
#include "server/aggregation/update_form.h"
#include "server/aggregation/worker_pool.h"

namespace hansa::server {

enum class SumOf : std::uint8_t { cohort, buffer };

struct UpdateFormConfig {
  std::size_t elements = 0;  // number of values of an update: those of its vectors, one after the other
  std::shared_ptr<const codecs::Plan> uplink;  // null: float32
  // With secure aggregation: the bits of a rounded value in the rounds after the first. Empty: updates are not masked.
  std::optional<unsigned> masked_value_bits;
  AggregationConfig aggregation;
  SumOf sum_of = SumOf::cohort;  // buffer: for "mean" only
  std::size_t vectors = 1;  // of an update, of equal size, each with segments of its own in the uplink's plan
};

// The pools outlive the form.
[[nodiscard]] std::unique_ptr<UpdateForm> make_update_form(const UpdateFormConfig& config,
                                                           WorkerPool& workers, SpoolPool& spools);

}  // namespace hansa::server
