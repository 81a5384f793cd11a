// The operator's statement that clients of a federation may train a model archive, signed with the root key.
//
// An archive is a program. A client therefore trains an archive only if the federation's root key, which the aggregator
// does not have, has signed the archive's digest and the layout of the values that are sent (docs/models.md).
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "protocols/secure_aggregation/identity.h"

namespace hansa::secure_aggregation {

inline constexpr std::size_t model_name_bytes_max = 64;
inline constexpr std::size_t model_version_bytes_max = 64;
inline constexpr std::size_t model_metrics_max = 8;

// The part of a manifest that travels with a task, whose other fields are the rest of it.
struct ModelApproval {
  std::string name;  // for people: "pump-wear"
  std::string version;  // for people: "3"
  // Names of the values of the model's metrics() that clients measure on held-out examples and report: each is a number
  // that the model's code chooses. Valid for check_metric_names().
  std::vector<std::string> metrics;
  Signature signature{};
  friend bool operator==(const ModelApproval&, const ModelApproval&) = default;
};

struct ModelManifest {
  std::string federation;
  Digest archive;
  Digest layout;  // of the archive with the federation's personal parameters
  // The signature is that of "hansa model 2", federation, name, version, archive, layout, number of metrics, metrics.
  ModelApproval approval;
};

// Fails with `usage` unless these are at most model_metrics_max names, each once and valid (common/held_out_metrics.h).
[[nodiscard]] Result<void> check_metric_names(std::span<const std::string> metrics,
                                              const std::string& location);
// Returns the manifest with its signature.
[[nodiscard]] Result<ModelManifest> sign(ModelManifest manifest, const SigningKey& root);
// Fails with `refused` unless the root key signed exactly this, and the names of metrics are valid.
[[nodiscard]] Result<void> check(const ModelManifest& manifest, const IdentityKey& root);

}  // namespace hansa::secure_aggregation
