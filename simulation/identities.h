// Identities of a simulated federation: a root of its own, which certifies every client.
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
  [[nodiscard]] static Result<Identities> create(std::string federation, std::uint64_t seed);

  // The client's key is that of its secret key file, if there is one that can be read: then it rounds as the real client
  // does. Else it is made from the seed and the name.
  [[nodiscard]] Result<client::SecureSums> add(const std::string& client,
                                               const std::filesystem::path& key_file,
                                               const secure_aggregation::Policy& policy);
  [[nodiscard]] std::optional<secure_aggregation::Certificate> certificate(const std::string& client) const;

 private:
  Identities(std::string federation, std::uint64_t seed, secure_aggregation::SigningKey root)
      : federation_(std::move(federation)), seed_(seed), root_(std::move(root)) {}

  std::string federation_;
  std::uint64_t seed_;
  secure_aggregation::SigningKey root_;
  std::map<std::string, secure_aggregation::Certificate> certificates_;
};

}  // namespace hansa::simulation
