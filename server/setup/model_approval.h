// Finds the signed manifest of a run's model, which clients require.
#pragma once
#include <optional>
#include <string>

#include "common/error.h"
#include "protocols/secure_aggregation/model_manifest.h"
#include "server/config/federation_config.h"
#include "server/evaluation/model_process.h"

namespace hansa::server {

// Returns the manifest in the folder of [model] archive or, if there is none, `kept`: the text that the resumed run stores; empty
// if there is no manifest at all and no root key is set. Fails (usage) with the command that signs the model if a
// manifest is missing although a root key is set, is for another federation, archive or layout, or is not signed by
// that key.
[[nodiscard]] Result<std::optional<secure_aggregation::ModelManifest>> find_manifest(
    const FederationConfig& config, const ArchiveFacts& facts, const std::optional<std::string>& kept);

// The manifest in the archive's folder if it is for this federation, archive and layout, whoever signed it: for a
// simulation, whose clients need no approval and report the metrics that it names.
[[nodiscard]] std::optional<secure_aggregation::ModelManifest> matching_manifest(
    const FederationConfig& config, const ArchiveFacts& facts);

}  // namespace hansa::server
