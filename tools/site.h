// The folder of one client, sites/NAME: client.toml and the secret key. The folder is copied to the device and works
// there from any place, because all paths in it are relative.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/secure_aggregation/setup.h"

namespace hansa::tools {

// How the clients' updates are added up.
enum class Summing : std::uint8_t { plain, secure };

// What the folders of all clients have in common.
struct SiteTerms {
  std::string federation;
  std::vector<std::string> addresses;  // of the aggregator, as clients reach it; at least one
  transport::PublicKey aggregator;
  Summing summing = Summing::secure;
  // What the clients require of a sum, if that is not the default.
  std::optional<std::uint32_t> honest_min = {};
  secure_aggregation::ThreatModel threat_model = secure_aggregation::ThreatModel::honest_but_curious;
  std::uint32_t epoch = 1;  // of the certificates
  std::string data = {};  // lines of [data]; empty: an example to fill in
};

// The address at which a client on this machine reaches an aggregator that listens at `bind`.
[[nodiscard]] std::string local_address(const std::string& bind);

// Below the folder of a federation.
[[nodiscard]] std::filesystem::path site_folder(const std::filesystem::path& federation,
                                                const std::string& name);
[[nodiscard]] std::filesystem::path site_key(const std::filesystem::path& site);

// The text of client.toml. root: the identity of the operator's root key, as hex digits.
[[nodiscard]] std::string client_toml(const SiteTerms& terms, const std::string& name,
                                      const std::string& root);

// Writes client.toml and a new secret key to `site`, which must not exist.
[[nodiscard]] Result<void> make_site(const std::filesystem::path& site, const SiteTerms& terms,
                                     const std::string& name, const secure_aggregation::SigningKey& root);

// Writes admitted/NAME.pub with the public key of the site and its certificate. The file appears complete, because an
// aggregator that runs reads it at once.
[[nodiscard]] Result<secure_aggregation::Validity> admit_site(const std::filesystem::path& site,
                                                              const std::filesystem::path& admitted,
                                                              const SiteTerms& terms, const std::string& name,
                                                              const secure_aggregation::SigningKey& root);

// The keys of one party.
struct KeyFiles {
  std::filesystem::path secret_key;
  std::filesystem::path public_key;  // not written if it is empty
};
[[nodiscard]] Result<enrolment::DeviceFile> make_keys(const KeyFiles& files);

}  // namespace hansa::tools
