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

// Checks the archive as clients do (learning/internal/code_check.h), and writes ARCHIVE.manifest.
[[nodiscard]] Result<secure_aggregation::ModelManifest> sign_archive(
    const SigningPlan& plan, const secure_aggregation::SigningKey& root);

// Reads ARCHIVE.manifest, and checks its signature and the archive's digest. Does not load the archive.
[[nodiscard]] Result<secure_aggregation::ModelManifest> verify_archive(
    const std::filesystem::path& archive, const secure_aggregation::IdentityKey& root);

}  // namespace hansa::tools
