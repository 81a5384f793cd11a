// ARCHIVE.manifest: the signed manifest of a model archive, in a TOML file in the same folder. `hansa model sign` writes it.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "common/error.h"
#include "protocols/secure_aggregation/model_manifest.h"

namespace hansa::enrolment {

inline constexpr std::size_t manifest_bytes_max = 4096;

[[nodiscard]] std::filesystem::path manifest_path(const std::filesystem::path& archive);

// Do not check the signature. Fail with `usage`, naming the line, if the text is no manifest.
[[nodiscard]] Result<secure_aggregation::ModelManifest> parse_manifest(std::string_view text,
                                                                       const std::filesystem::path& location);
[[nodiscard]] Result<secure_aggregation::ModelManifest> read_manifest(const std::filesystem::path& file);

[[nodiscard]] std::string text_of(const secure_aggregation::ModelManifest& manifest);
// Atomic and durable.
[[nodiscard]] Result<void> write_manifest(const secure_aggregation::ModelManifest& manifest,
                                          const std::filesystem::path& file);

}  // namespace hansa::enrolment
