// "tcp://HOST:PORT" as a client gives it, and an aggregator.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/error.h"

namespace hansa::transport {

enum class IpVersion : std::uint8_t { v4, v6 };

// Which versions to try, in order: one for a numeric address, both for a name.
// Fails (usage) on all that is not tcp://HOST:PORT, tcp://[IPV6]:PORT with a port of 1 to 65535.
[[nodiscard]] Result<std::vector<IpVersion>> check_address(const std::string& address);

// HOST may be * and the port 0, for any. Fails (network) on another shape; libzmq judges the host.
[[nodiscard]] Result<void> check_bind_address(const std::string& address);

}  // namespace hansa::transport
