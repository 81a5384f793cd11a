// The operator's statement that clients of a federation may train a model archive, signed with the root key.
//
// An archive is a program. A client therefore trains an archive only if the federation's root key, which the aggregator
// does not have, has signed the archive's digest and the layout of the values that are sent (docs/models.md).
#pragma once
#include <cstddef>
#include <string>

#include "common/digest.h"
#include "common/error.h"
#include "protocols/secure_aggregation/identity.h"

namespace hansa::secure_aggregation {

inline constexpr std::size_t model_name_bytes_max = 64;
inline constexpr std::size_t model_version_bytes_max = 64;

// The part of a manifest that travels with a task, whose other fields are the rest of it.
struct ModelApproval {
  std::string name;  // for people: "pump-wear"
  std::string version;  // for people: "3"
  Signature signature{};
  friend bool operator==(const ModelApproval&, const ModelApproval&) = default;
};

struct ModelManifest {
  std::string federation;
  Digest archive;
  Digest layout;  // of the archive with the federation's personal parameters
  // The signature is that of "hansa model 1", federation, name, version, archive, layout.
  ModelApproval approval;
};

// Returns the manifest with its signature.
[[nodiscard]] Result<ModelManifest> sign(ModelManifest manifest, const SigningKey& root);
// Fails with `refused` unless the root key signed exactly this.
[[nodiscard]] Result<void> check(const ModelManifest& manifest, const IdentityKey& root);

}  // namespace hansa::secure_aggregation
