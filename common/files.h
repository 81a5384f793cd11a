// Whole files, durably: a reader with a size bound, and a writer that is atomic.
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
// Fails (storage) unless the file has exactly out.size() bytes.
[[nodiscard]] Result<void> read_file_into(const std::filesystem::path& path, std::span<std::byte> out);

enum class FileAccess { everyone_reads, owner_only };

// Writes to a temporary name beside path, fsyncs, renames over path, fsyncs the folder:
// after a crash path holds the old bytes or the new ones, never a part.
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path,
                                                 std::span<const std::byte> bytes,
                                                 FileAccess access = FileAccess::everyone_reads);
[[nodiscard]] Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                                 FileAccess access = FileAccess::everyone_reads);
// Removes from a folder what a crash left of such writes: names that end with .tmp and perhaps digits.
[[nodiscard]] Result<void> remove_unfinished(const std::filesystem::path& folder);
// Atomic in the same way, in small steps; returns the digest of what was copied.
[[nodiscard]] Result<Digest> copy_file_atomically(const std::filesystem::path& from,
                                                  const std::filesystem::path& to);
// In small steps.
[[nodiscard]] Result<Digest> digest_of_file(const std::filesystem::path& path);
[[nodiscard]] Result<void> make_folders(const std::filesystem::path& path);
// The folder that holds the running program.
[[nodiscard]] std::filesystem::path program_folder();

}  // namespace hansa
