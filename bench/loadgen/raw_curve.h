// The throughput of libzmq's CURVE alone: DEALERs that send, and a ROUTER in another process that discards.
#pragma once
#include <cstdint>

#include "common/error.h"

namespace hansa::loadgen {

// Returns gigabytes per second of `clients` senders, each sending `bytes` of its own in messages of message_bytes, over
// connections that have carried the same amount before: the median of several transfers. Each side has two I/O threads,
// like hansa-aggregator; libzmq assigns the connections to them.
[[nodiscard]] Result<double> raw_curve_throughput(unsigned clients, std::size_t message_bytes,
                                                  std::uint64_t bytes);

}  // namespace hansa::loadgen
