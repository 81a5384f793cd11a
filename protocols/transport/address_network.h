// The part of an IP address that limits are for.
#pragma once
#include <string>

namespace hansa::transport {

// What one attacker has at least: of IPv6 a network of 64 bits ("2001:db8::/64"), of IPv4 an address ("192.0.2.7"), also
// where it is written as an IPv6 address ("::ffff:192.0.2.7"). A text that is no address is returned unchanged.
[[nodiscard]] std::string network_of(const std::string& address);

}  // namespace hansa::transport
