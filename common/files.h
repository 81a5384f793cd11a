// Whole files: reading with a size limit, and writing that is atomic and durable.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/digest.h"
#include "common/error.h"

namespace hansa {

[[nodiscard]] Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t bytes_max);
[[nodiscard]] Result<std::vector<std::byte>> read_binary_file(const std::filesystem::path& path,
                                                              std::size_t bytes_max);
// Fails with `storage` unless the file has exactly out.size() bytes.
[[nodiscard]] Result<void> read_file_into(const std::filesystem::path& path, std::span<std::byte> out);

enum class FileAccess { everyone_reads, owner_only };

// Writes a temporary file in the same folder, fsyncs it, renames it over path, and fsyncs the folder: after a crash
// the file holds the old bytes or the new ones, never a part of either.
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path,
                                                 std::span<const std::byte> bytes,
                                                 FileAccess access = FileAccess::everyone_reads);
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                                 FileAccess access = FileAccess::everyone_reads);
// Removes the temporary files that a crash during such a write left in the folder: those whose extension starts with
// ".tmp".
[[nodiscard]] Result<void> remove_unfinished(const std::filesystem::path& folder);
// Copies a file atomically in the same way, with a small buffer. Returns the digest of the copied bytes.
[[nodiscard]] Result<Digest> copy_file_atomically(const std::filesystem::path& from,
                                                  const std::filesystem::path& to);
// Reads the file with a small buffer.
[[nodiscard]] Result<Digest> digest_of_file(const std::filesystem::path& path);
[[nodiscard]] Result<void> make_folders(const std::filesystem::path& path);
// The folder that holds the running program.
[[nodiscard]] std::filesystem::path program_folder();

}  // namespace hansa
