// The names that libzmq gives to the peers of a ROUTER socket.
#pragma once
#include "common/error.h"

namespace hansa::transport {

// Call it before a ROUTER is made. libzmq counts its peers from a number on that it takes from rand(), which it never
// seeds: the number would be the same in every process. libzmq ends the process (an assertion) when the count reaches a
// name that a peer has chosen for itself, and it refuses no such name. So the first number must be one that nobody can
// guess: each connection meets each chosen name with a probability of 2^-32. Fails (internal) without random bytes.
[[nodiscard]] Result<void> make_routing_ids_unpredictable();

}  // namespace hansa::transport
