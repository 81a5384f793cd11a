// What was read of a file that grows: its identity, and checksums of its bytes up to a position, which show whether the
// file was rewritten. One thread at a time.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "common/checksum.h"
#include "common/descriptor.h"
#include "common/error.h"

namespace hansa::learning::internal {

// Which file it is, whatever its name. The file system may give the inode of a removed file to a new one; then the time
// of its creation differs.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0;
  std::int64_t born_ns = 0;  // 0: the file system does not say
  [[nodiscard]] bool is_same(const FileIdentity& other) const;
};
struct FileStatus {
  FileIdentity identity;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  bool regular = false;
};
[[nodiscard]] std::optional<FileStatus> status_of(const std::filesystem::path& path);
[[nodiscard]] std::optional<FileStatus> status_of(const Descriptor& file);

class FilePrefix {
 public:
  // Bytes that have a checksum of their own, so that advance() reads at most as many bytes twice.
  static constexpr std::uint64_t piece_bytes = 64 << 10;

  // Includes the file's bytes up to `offset`, which is not before the last one. Fails (data) if the file cannot be read
  // or is shorter.
  [[nodiscard]] Result<void> advance(const Descriptor& file, std::uint64_t offset,
                                     const std::filesystem::path& path);
  // How much of the file is compared: its first and last pieces, or everything up to the offset.
  enum class Depth : std::uint8_t { ends, all };
  [[nodiscard]] Result<bool> matches(const Descriptor& file, Depth depth,
                                     const std::filesystem::path& path) const;

  [[nodiscard]] nlohmann::json json() const;
  // Empty if the value is not one of json(). Throws nlohmann::json::exception likewise.
  [[nodiscard]] static std::optional<FilePrefix> from(const nlohmann::json& json);
  friend bool operator==(const FilePrefix&, const FilePrefix&) = default;

 private:
  std::uint64_t offset_ = 0;
  std::uint64_t pieces_ = 0;  // complete ones
  Checksum chained_;  // over the complete pieces: each checksum covers the one before it
  Checksum first_;  // of the first piece, or of all bytes if there are fewer
  Checksum rest_;  // of the bytes after the last complete piece
};

}  // namespace hansa::learning::internal
