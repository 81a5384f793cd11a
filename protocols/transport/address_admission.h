// An Admission whose decision depends on the peer's address too, for a port on which everybody may speak.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "protocols/transport/server_channel.h"

namespace hansa::transport {

class AddressAdmission : public Admission {
 public:
  // Called instead of admit(). The address is an IP address: "192.0.2.7", "2001:db8::1".
  [[nodiscard]] virtual std::optional<std::string> admit_from(const PublicKey& key,
                                                              std::string_view address) = 0;
  [[nodiscard]] std::optional<std::string> admit(const PublicKey& key) final { return admit_from(key, {}); }
};

}  // namespace hansa::transport
