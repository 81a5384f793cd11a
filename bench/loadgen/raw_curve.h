// What libzmq's CURVE carries by itself: DEALERs that send, and a ROUTER in another process that throws away.
#pragma once
#include <cstdint>

#include "common/error.h"

namespace hansa::loadgen {

// Gigabytes a second of `clients` senders, each sending `bytes` of its own in messages of so many bytes, over connections that have carried
// as much before: the median of some such transfers. Two I/O threads on either side, as hansa-aggregator has; libzmq gives the
// connections to them as it does.
[[nodiscard]] Result<double> raw_curve_throughput(unsigned clients, std::size_t message_bytes,
                                                  std::uint64_t bytes);

}  // namespace hansa::loadgen
