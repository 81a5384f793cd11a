// Changes the key of this device: docs/enrolment.md, "Changing keys".
//
// The new key is made here, in client.key.next. When the operator has certified it, the certificate is written to client.pub,
// and client.key.next takes the place of client.key. Whatever was interrupted continues when the same is asked again. A
// client that is running uses the new key once it has nothing to do.
#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "client/config/client_config.h"
#include "client/join/join.h"
#include "common/error.h"
#include "common/utc.h"

namespace hansa::client {

struct Rotated {
  std::string name;  // of the device
  UtcSeconds expires;  // of the certificate
};

struct RotationPlan {
  std::string address;  // of the port on which the aggregator enrols devices
  WaitForApproval wait = WaitForApproval::yes;
};

// Asks the aggregator. Fails with `usage` if client.toml has no root key, and otherwise as join() does.
[[nodiscard]] Result<Rotated> rotate(const ClientConfig& config, const RotationPlan& plan,
                                     const std::function<void(const std::string&)>& on_note,
                                     const std::atomic<bool>& stop);

// Without a connection: writes the request to a file for the operator, and takes the certificate from the file that comes
// back. The second fails with `refused` if the root key did not sign it for the new key.
[[nodiscard]] Result<void> write_request(const ClientConfig& config, const std::filesystem::path& file);
[[nodiscard]] Result<Rotated> take_certificate(const ClientConfig& config, const std::filesystem::path& file);

}  // namespace hansa::client
