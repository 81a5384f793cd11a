// A file that another program put into a folder: which one it is, and which content it has. Another file under a known name
// has another identity.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "common/error.h"

namespace hansa::learning::internal {

struct ArrivedFile {
  std::filesystem::path path;
  std::int64_t changed_ns = 0;  // since 1970
  std::uint64_t size = 0, inode = 0;

  [[nodiscard]] std::string identity() const;  // Arrival::source of this file
};

// Empty: there is no regular file.
[[nodiscard]] std::optional<ArrivedFile> look_at(const std::filesystem::path& path);
// Removes a file whose examples are stored. Returns a note if it cannot be removed.
[[nodiscard]] std::optional<Error> remove_consumed(const ArrivedFile& file);

}  // namespace hansa::learning::internal
