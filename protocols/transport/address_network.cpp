#include "protocols/transport/address_network.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <arpa/inet.h>

namespace hansa::transport {

std::string network_of(const std::string& address) {
  // A local address names its interface: "fe80::1%eth0".
  const std::size_t scope = std::min(address.find('%'), address.size());
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET6, address.substr(0, scope).c_str(), bytes.data()) != 1) return address;
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (std::equal(mapped.begin(), mapped.end(), bytes.begin())) {
    if (::inet_ntop(AF_INET, bytes.data() + mapped.size(), text.data(), text.size()) == nullptr)
      return address;
    return text.data();
  }
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  if (::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size()) == nullptr) return address;
  return text.data() + address.substr(scope) + "/64";
}

}  // namespace hansa::transport
