// Which IP versions an address "tcp://HOST:PORT" may have.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/error.h"

namespace hansa::transport {

enum class IpVersion : std::uint8_t { v4, v6 };

// Returns the IP versions to try, in order: one for a numeric address, both for a name. Fails with `usage` unless the
// address is tcp://HOST:PORT or tcp://[IPV6]:PORT with a port from 1 to 65535.
[[nodiscard]] Result<std::vector<IpVersion>> check_address(const std::string& address);

// Of an address that check_bind_address() accepts. Fails with `network` if its host is not *, an IP address, or the
// name of an interface of this machine: names are not resolved.
[[nodiscard]] Result<void> check_local_host(const std::string& bind);

}  // namespace hansa::transport
