// The blobs that clients pull: the archive, and between commits the published model, the deltas to it, the last model,
// and the vectors of the training method.
//
// One thread.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

#include "common/digest.h"
#include "common/error.h"
#include "protocols/transport/bulk.h"
#include "server/engine/internal/model_publisher.h"

namespace hansa::server::internal {

class ServedBlobs {
 public:
  ServedBlobs(const Digest& archive, std::filesystem::path archive_path)
      : archive_(archive), archive_path_(std::move(archive_path)) {}

  void serve(ServedModel model) { model_ = std::move(model); }
  // Releases the model's memory, so that a commit may write to it.
  void withdraw() { model_ = {}; }
  // A part of a blob; empty if the blob is not served. Fails (storage) if the archive cannot be read.
  [[nodiscard]] Result<std::optional<transport::Bulk>> read(const Digest& blob, std::uint64_t offset,
                                                            std::uint64_t bytes) const;

 private:
  [[nodiscard]] Result<transport::Bulk> read_archive(std::uint64_t offset, std::uint64_t bytes) const;

  Digest archive_;
  std::filesystem::path archive_path_;
  ServedModel model_;
};

}  // namespace hansa::server::internal
