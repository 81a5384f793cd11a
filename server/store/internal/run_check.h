// Compares all that a run folder stores with its digests: Run::verify(). One thread at a time.
#pragma once
#include <filesystem>

#include "common/error.h"
#include "server/store/internal/database.h"
#include "server/store/internal/delta_files.h"
#include "server/store/internal/model_files.h"
#include "server/store/run.h"

namespace hansa::server::internal {

// The parts of a run folder.
struct RunParts {
  const std::filesystem::path& folder;
  Database& database;
  const ModelFiles& models;
  const DeltaFiles& deltas;
};

// Fails (storage) if archive.pt or layout.txt is missing or is not the one that the run was started with.
[[nodiscard]] Result<void> check_archive(const std::filesystem::path& folder, const RunIdentity& identity);
[[nodiscard]] Result<ParameterLayout> read_layout(const std::filesystem::path& folder,
                                                  const std::optional<RunIdentity>& identity);

// Fails (storage) if metrics.jsonl has a line of a round after the last one: each line is written after its round is
// durable, so that such rounds are lost, for example with the end of a damaged WAL file.
[[nodiscard]] Result<void> check_no_round_is_lost(const std::filesystem::path& folder, Database& database);

// The rows of the identity and of the newest rounds, and the seals of all rounds. Fails (storage).
[[nodiscard]] Result<void> check_rows(const RunParts& run);
// Run::check_newest() and Run::verify().
[[nodiscard]] Result<std::vector<std::string>> check_newest(const RunParts& run);
[[nodiscard]] Result<RunCheck> check_all(const RunParts& run);

}  // namespace hansa::server::internal
