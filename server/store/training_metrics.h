// What the clients of a round measured while they trained: the loss that everybody sees, also without held-out data.
#pragma once
#include <cstdint>

#include "common/training.h"
#include "server/store/store.h"

namespace hansa::server {

// Sums over the counted clients, or what a secure sum had. Metrics that more clients report come first, and only the
// first 64 are returned: no client can crowd out the metrics of the others. Values that are not finite, and those
// without examples, are left out; a metric that has no other value is NaN. What the clients measured on examples that
// they hold out is in held_out.h.
[[nodiscard]] Metrics training_metrics(const RoundRecord& record);
// Examples that the counted clients trained with: the round's total weight.
[[nodiscard]] std::uint64_t training_examples(const RoundRecord& record);
// Clients whose update is in the sum.
[[nodiscard]] std::uint32_t counted_clients(const RoundRecord& record);

}  // namespace hansa::server
