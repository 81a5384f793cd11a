// Identities of a simulated federation: its own root key, which certifies every client.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client/agent/agent.h"
#include "common/error.h"
#include "protocols/secure_aggregation/identity.h"

namespace hansa::simulation {

class Identities {
 public:
  [[nodiscard]] static Result<Identities> create(std::string federation, std::uint64_t seed,
                                                 std::uint32_t epoch = 1);

  // Uses the client's secret key file if it can be read, because the client's randomised rounding depends on the key,
  // so the simulation gives the same update as the device. Otherwise the key is derived from the seed and the name.
  [[nodiscard]] Result<client::SecureSums> add(const std::string& client,
                                               const std::filesystem::path& key_file,
                                               const secure_aggregation::Policy& policy);
  // As the device derives it from the same secret key, if the file can be read.
  [[nodiscard]] Result<std::uint64_t> hold_out_key(const std::string& client,
                                                   const std::filesystem::path& key_file) const;
  [[nodiscard]] std::optional<secure_aggregation::Certificate> certificate(const std::string& client) const;

 private:
  [[nodiscard]] Result<secure_aggregation::SigningKey> identity_of(
      const std::string& client, const std::filesystem::path& key_file) const;
  Identities(std::string federation, std::uint64_t seed, secure_aggregation::SigningKey root,
             std::uint32_t epoch)
      : federation_(std::move(federation)), seed_(seed), root_(std::move(root)) {
    validity_.epoch = epoch;
  }

  std::string federation_;
  std::uint64_t seed_;
  secure_aggregation::SigningKey root_;
  secure_aggregation::Validity validity_ = secure_aggregation::holds_always;
  std::map<std::string, secure_aggregation::Certificate> certificates_;
};

}  // namespace hansa::simulation
