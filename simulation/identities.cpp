#include "simulation/identities.h"

#include <algorithm>

#include "common/digest.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/secure_aggregation/hold_out_key.h"

namespace hansa::simulation {
namespace {

using secure_aggregation::SigningKey;

// These keys protect nothing: they are the same in every simulation with the same seed.
Result<SigningKey> key_of(const std::string& what, std::uint64_t seed) {
  const Digest digest = sha256("hansa simulation " + std::to_string(seed) + " " + what);
  Secret32 bytes;
  std::ranges::copy(digest.bytes, bytes.bytes().begin());
  return SigningKey::of(std::move(bytes));
}

}  // namespace

Result<Identities> Identities::create(std::string federation, std::uint64_t seed, std::uint32_t epoch) {
  HANSA_TRY(SigningKey root, key_of("root", seed));
  return Identities(std::move(federation), seed, std::move(root), epoch);
}

Result<SigningKey> Identities::identity_of(const std::string& client,
                                           const std::filesystem::path& key_file) const {
  if (const auto secret = transport::read_secret_key(key_file)) return enrolment::identity_of(*secret);
  return key_of("client " + client, seed_);
}

Result<std::uint64_t> Identities::hold_out_key(const std::string& client,
                                               const std::filesystem::path& key_file) const {
  HANSA_TRY(const SigningKey identity, identity_of(client, key_file));
  return secure_aggregation::hold_out_key(identity);
}

Result<client::SecureSums> Identities::add(const std::string& client, const std::filesystem::path& key_file,
                                           const secure_aggregation::Policy& policy) {
  HANSA_TRY(SigningKey key, identity_of(client, key_file));
  HANSA_TRY(auto certificate,
            secure_aggregation::certify(root_, federation_, client, key.public_key(), validity_));
  certificates_.emplace(client, std::move(certificate));
  return client::SecureSums{std::make_shared<const SigningKey>(std::move(key)), root_.public_key(), policy,
                            true};
}

std::optional<secure_aggregation::Certificate> Identities::certificate(const std::string& client) const {
  const auto found = certificates_.find(client);
  if (found == certificates_.end()) return std::nullopt;
  return found->second;
}

}  // namespace hansa::simulation
