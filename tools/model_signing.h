// Signs a model archive for the clients of a federation: `hansa model sign`, and the model of `hansa new`.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/model_manifest.h"

namespace hansa::tools {

struct SigningPlan {
  std::filesystem::path archive;
  std::string federation;
  std::string name;
  std::string version = "1";
  // Values of the model's metrics() that clients report. Without it: all that its code names.
  std::optional<std::vector<std::string>> metrics;
  std::vector<std::string> personal;  // the federation's [model] personal, on which the layout depends
};

// Checks the archive as clients do (learning/internal/code_check.h), and returns the manifest that is to be signed.
//
// Nobody has reviewed the archive yet, and reading one may be enough to be taken over by it. It is therefore read in a
// locked child process, and this is called before the root key is in this process. The digest is that of the bytes that
// the child read; layout and metrics are what it says, and devices compare the layout with their own.
[[nodiscard]] Result<secure_aggregation::ModelManifest> draft_manifest(const SigningPlan& plan);
// Signs the manifest and writes ARCHIVE.manifest. Does not read the archive.
[[nodiscard]] Result<secure_aggregation::ModelManifest> sign_archive(
    const std::filesystem::path& archive, const secure_aggregation::ModelManifest& draft,
    const secure_aggregation::SigningKey& root);

// Reads ARCHIVE.manifest, and checks its signature and the archive's digest. Does not load the archive.
[[nodiscard]] Result<secure_aggregation::ModelManifest> verify_archive(
    const std::filesystem::path& archive, const secure_aggregation::IdentityKey& root);

}  // namespace hansa::tools
