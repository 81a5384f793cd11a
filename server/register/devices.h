// What the register knows of a device, of a join token, and of an act: plain values.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/digest.h"
#include "common/utc.h"
#include "protocols/enrolment/join_token.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/transport/keys.h"

namespace hansa::server {

enum class DeviceState : std::uint8_t {
  pending,  // asked to join; the operator has not decided
  certified,  // has a certificate, and was never in the folder of admitted clients: its file is written once
  admitted,
  quarantined,  // may not connect until it is released
  revoked,  // its key is refused for ever
  denied,  // the operator refused its request
  removed,  // its file was taken out of the folder of admitted clients
};
[[nodiscard]] std::string_view name(DeviceState state);

// What was seen of a device while it was connected.
struct DeviceActivity {
  std::string software;  // of its last Hello; empty: not known
  std::optional<UtcSeconds> last_seen = {};
  std::uint64_t examples = 0;  // of its last report; a power of two if it takes part in secure sums
  std::uint64_t counted = 0;  // rounds whose model has its update
  std::uint64_t lost = 0;  // rounds in which it was selected and not counted
  std::string lost_why = {};  // the last reason
};

struct Device {
  std::string name;  // its client name, which its certificate has
  std::string label;  // for people; may be empty
  DeviceState state = DeviceState::pending;
  transport::PublicKey key;
  secure_aggregation::IdentityKey identity{};
  UtcSeconds since;  // when it asked to join, or was first seen in the folder
  std::optional<enrolment::TokenId> token = {};  // with which it joined
  struct Certified {
    secure_aggregation::Validity validity;
    secure_aggregation::Signature signature{};
  };
  std::optional<Certified> certificate = {};
  DeviceActivity activity = {};
};

// The key to which a device changes: docs/enrolment.md, "Changing keys".
enum class NextKeyState : std::uint8_t {
  pending,  // the operator has not decided
  certified,  // both keys are admitted until the device has connected with this one, or the overlap ends
  denied,  // the operator refused the request; the device's present key is not concerned
};
[[nodiscard]] std::string_view name(NextKeyState state);

struct NextKey {
  std::string device;  // its name
  NextKeyState state = NextKeyState::pending;
  transport::PublicKey key;
  secure_aggregation::IdentityKey identity{};
  UtcSeconds since;  // when the device asked for it
  std::optional<Device::Certified> certificate = {};
};

struct TokenRecord {
  enrolment::TokenId id{};
  Digest hash;  // enrolment::digest_of()
  std::string label;
  std::uint32_t uses = 1;  // how many devices may join with it
  std::uint32_t used = 0;
  UtcSeconds made;
  UtcSeconds expires;  // the first second at which it does not hold
};

// An entry of the audit log.
struct AuditEntry {
  std::uint64_t number = 0;  // from 1
  UtcSeconds at;
  std::string actor;  // "aggregator", or the user who ran a command
  std::string act;  // "token.made", "device.enrolled", ...
  std::string subject;  // the device or the token
  std::string details;
  Digest hash;  // over the hash before and all of the above
};

}  // namespace hansa::server
