// Writes a .tar.gz, which every tar unpacks: POSIX.1-1988 ustar headers (IEEE Std 1003.1, "pax Interchange Format"),
// with GNU's base-256 sizes for files of 8 GiB and more. One thread at a time.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "common/error.h"
#include "common/files.h"

namespace hansa::tools {

class TarFile {
 public:
  // Creates the file, which must not exist.
  [[nodiscard]] static Result<TarFile> create(const std::filesystem::path& path,
                                              FileAccess access = FileAccess::everyone_reads);
  ~TarFile();
  TarFile(TarFile&&) noexcept;
  TarFile& operator=(TarFile&&) = delete;

  // Appends a regular file under this name: a relative path with '/', whose last component has at most 100 characters
  // and whose folders have at most 155.
  [[nodiscard]] Result<void> add(const std::filesystem::path& file, const std::string& name);
  // Writes the end, flushes the file to disk and reads it back: fails (storage) unless it holds every byte that was
  // added. Call it once; without it the file is incomplete.
  [[nodiscard]] Result<void> finish();

 private:
  struct State;
  explicit TarFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hansa::tools
