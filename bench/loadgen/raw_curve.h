// What libzmq's CURVE carries by itself: DEALERs that send, and a ROUTER in another process that throws away.
#pragma once
#include <cstdint>

#include "common/error.h"

namespace hansa::loadgen {

// Gigabytes a second of `clients` senders with messages of so many bytes, each sending `bytes` in all, after a connection that
// stands. Two I/O threads on either side, as hansa-aggregator has.
[[nodiscard]] Result<double> raw_curve_throughput(unsigned clients, std::size_t message_bytes,
                                                  std::uint64_t bytes);

}  // namespace hansa::loadgen
