// The register of a federation's devices: join tokens, devices, and the audit log, in one SQLite file that outlives
// restarts. The aggregator and the operator's commands use it at the same time.
//
// Who may connect is decided by the folder of admitted clients alone (server/process/admission_folder.h); the register
// records how it came to be so. Every change and its audit entry are one transaction. An object is used by one thread;
// several objects may have the same file open.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "server/register/devices.h"

namespace hansa::server {

// Who changes something, and when: for the audit log.
struct Acting {
  std::string actor;
  UtcSeconds at;
};
// "operator NAME", with the name of this process's user.
[[nodiscard]] Acting acting_operator(UtcSeconds now);

class DeviceRegister {
 public:
  // Creates the file if it is missing. Fails (storage) if it is damaged, or of a later version.
  [[nodiscard]] static Result<DeviceRegister> open(const std::filesystem::path& file);
  ~DeviceRegister();
  DeviceRegister(DeviceRegister&&) noexcept;
  DeviceRegister& operator=(DeviceRegister&&) noexcept;

  // Tokens.
  [[nodiscard]] Result<void> add_token(const TokenRecord& token, const Acting& acting);
  [[nodiscard]] Result<std::optional<TokenRecord>> find_token(const enrolment::TokenId& id);
  [[nodiscard]] Result<std::vector<TokenRecord>> tokens();
  // The token holds no longer. False: there is none with this identifier that held.
  [[nodiscard]] Result<bool> withdraw_token(const enrolment::TokenId& id, const Acting& acting);

  // Devices, by name.
  [[nodiscard]] Result<std::vector<Device>> devices();
  [[nodiscard]] Result<std::optional<Device>> find(const std::string& name);
  // The device whose key this is or was; of several the newest.
  [[nodiscard]] Result<std::optional<Device>> find_key(const transport::PublicKey& key);

  struct Applicant {
    enrolment::TokenId token{};
    transport::PublicKey key;
    secure_aggregation::IdentityKey identity{};
    std::string address;  // for the audit log
  };
  // Uses the token once and adds a pending device, in one transaction. Its name is made from the token's label, or is
  // "device-N", and was never used before; names in `taken` are not used. Fails (refused) if the token has expired or is used up, or if the key or identity is known.
  [[nodiscard]] Result<Device> enrol(const Applicant& applicant, std::span<const std::string> taken,
                                     const Acting& acting);
  // The operator's signature of a pending device, which is certified then. Fails (usage) if it is not pending.
  [[nodiscard]] Result<void> approve(const std::string& name, const Device::Certified& certificate,
                                     const Acting& acting);
  // The file of a certified device was written: from now on the folder decides. Changes no other state.
  [[nodiscard]] Result<void> mark_admitted(const std::string& name);
  // Fails (usage) if there is no such device. details: for the audit log.
  [[nodiscard]] Result<void> set_state(const std::string& name, DeviceState state, const std::string& details,
                                       const Acting& acting);
  [[nodiscard]] Result<void> set_label(const std::string& name, const std::string& label,
                                       const Acting& acting);

  // Keys to which devices change.
  [[nodiscard]] Result<std::vector<NextKey>> next_keys();
  [[nodiscard]] Result<std::optional<NextKey>> find_next_key(const std::string& device);
  struct RotationApplicant {
    std::string device;
    transport::PublicKey key;
    secure_aggregation::IdentityKey identity{};
    std::string from;  // for the audit log: an IP address or a file
  };
  // Adds a pending next key of an admitted device. Fails (refused) if the device is not admitted, if it changes to another key
  // already, or if the key or the identity is that of a device. A denied key is replaced by another one.
  [[nodiscard]] Result<NextKey> add_next_key(const RotationApplicant& applicant, const Acting& acting);
  // The operator's signature. Fails (usage) if there is no pending next key.
  [[nodiscard]] Result<void> approve_next_key(const std::string& device, const Device::Certified& certificate,
                                              const Acting& acting);
  // Pending or certified. Fails (usage) if there is none.
  [[nodiscard]] Result<void> deny_next_key(const std::string& device, const Acting& acting);

  // A device as a file of the folder of admitted clients describes it.
  struct Listed {
    std::string name;
    transport::PublicKey key;
    std::optional<secure_aggregation::IdentityKey> identity = {};
  };
  // Adds devices that are in the folder and not in the register, marks those that are not in the folder any more as
  // removed, and completes the change of a key that is in the folder by now. Returns whether anything changed.
  [[nodiscard]] Result<bool> match_folder(std::span<const Listed> listed, const Acting& acting);

  // What was seen since the last call; the numbers of rounds are added. Unknown names are ignored. No audit entry.
  [[nodiscard]] Result<void> add_activity(const std::map<std::string, DeviceActivity>& seen);

  // An act that changes nothing in the register: "aggregator.started".
  [[nodiscard]] Result<void> record(const std::string& act, const std::string& subject,
                                    const std::string& details, const Acting& acting);
  [[nodiscard]] Result<std::vector<AuditEntry>> audit();
  // One entry; empty: there is none.
  [[nodiscard]] Result<std::optional<AuditEntry>> last_audit_entry();
  [[nodiscard]] Result<std::optional<AuditEntry>> audit_entry(std::uint64_t number);

 private:
  struct State;
  explicit DeviceRegister(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The hash of an entry that follows one with the hash `before` (zero for the first).
[[nodiscard]] Digest hash_of(const AuditEntry& entry, const Digest& before);
// The first entry that does not follow from the one before, or is missing; empty: the chain is whole.
[[nodiscard]] std::optional<Error> find_break(std::span<const AuditEntry> entries,
                                              const std::string& location);
// How many entries follow the one with this hash; empty: there is none.
[[nodiscard]] std::optional<std::size_t> entries_after(std::span<const AuditEntry> entries,
                                                       const Digest& head);

}  // namespace hansa::server
