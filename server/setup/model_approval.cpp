#include "server/setup/model_approval.h"

#include <filesystem>
#include <utility>

#include "protocols/enrolment/manifest_file.h"

namespace hansa::server {
namespace {

using secure_aggregation::ModelManifest;

std::string sign_command(const FederationConfig& config) {
  return "sign the model where the root key is: hansa model sign " + config.model.string() +
         " --key ROOT.key --config " + config.file.string();
}

Result<std::optional<ModelManifest>> read(const std::filesystem::path& file,
                                          const std::optional<std::string>& kept) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    HANSA_TRY(auto manifest, enrolment::read_manifest(file));
    return manifest;
  }
  if (!kept) return std::nullopt;
  HANSA_TRY(auto manifest, enrolment::parse_manifest(*kept, "the run's manifest"));
  return manifest;
}

}  // namespace

Result<std::optional<ModelManifest>> find_manifest(const FederationConfig& config, const ArchiveFacts& facts,
                                                   const std::optional<std::string>& kept) {
  const std::filesystem::path file = enrolment::manifest_path(config.model);
  const auto wrong = [&](std::string what) {
    return fail(ErrorCode::usage, file.string(), std::move(what), sign_command(config));
  };
  HANSA_TRY(auto manifest, read(file, kept));
  if (!manifest) {
    if (config.root)
      return wrong("does not exist, and clients train only models that the root key has signed");
    return manifest;
  }
  if (manifest->federation != config.name) return wrong("is for federation \"" + manifest->federation + "\"");
  if (manifest->archive != facts.archive)
    return wrong("is for archive " + manifest->archive.brief() + ", not for " + facts.archive.brief());
  if (manifest->layout != facts.layout.digest())
    return wrong("is for another layout: the model has other personal parameters");
  if (config.root && !secure_aggregation::check(*manifest, *config.root))
    return wrong(
        "is not signed by the key of secure_aggregation.root, or by an earlier Hansa, whose signatures do "
        "not "
        "cover metrics");
  return manifest;
}

std::optional<ModelManifest> matching_manifest(const FederationConfig& config, const ArchiveFacts& facts) {
  const auto manifest = enrolment::read_manifest(enrolment::manifest_path(config.model));
  if (!manifest || manifest->federation != config.name || manifest->archive != facts.archive ||
      manifest->layout != facts.layout.digest())
    return std::nullopt;
  return *manifest;
}

}  // namespace hansa::server
