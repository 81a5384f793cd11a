// The blobs that clients pull: the archive, and between commits the published model, the deltas to it, the last model,
// and the vectors of the training method. Earlier models, and the current one during a commit, are served while clients
// are known to fetch them (CommitRound::fetched).
//
// One thread.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "protocols/transport/bulk.h"
#include "server/engine/internal/model_publisher.h"

namespace hansa::server::internal {

class ServedBlobs {
 public:
  ServedBlobs(const Digest& archive, std::filesystem::path archive_path)
      : archive_(archive), archive_path_(std::move(archive_path)) {}

  // A vector that is served from now on, also during commits.
  void add_constant(const Digest& blob, std::shared_ptr<const std::vector<float>> values) {
    constants_.emplace_back(blob, std::move(values));
  }
  void serve(ServedModel model) { model_ = std::move(model); }
  // Before a commit: releases the memory of all models but those with these names, so that the commit may write to it.
  void withdraw(std::span<const Digest> except);
  // A part of a blob; empty if the blob is not served. Fails (storage) if the archive cannot be read.
  [[nodiscard]] Result<std::optional<transport::Bulk>> read(const Digest& blob, std::uint64_t offset,
                                                            std::uint64_t bytes) const;

 private:
  [[nodiscard]] Result<transport::Bulk> read_archive(std::uint64_t offset, std::uint64_t bytes) const;

  [[nodiscard]] static std::optional<transport::Bulk> part_of(const ServedModel& model, const Digest& blob,
                                                              std::uint64_t offset, std::uint64_t bytes);

  Digest archive_;
  std::filesystem::path archive_path_;
  std::vector<std::pair<Digest, std::shared_ptr<const std::vector<float>>>> constants_;
  ServedModel model_;
  std::vector<ServedModel> earlier_;
};

}  // namespace hansa::server::internal
