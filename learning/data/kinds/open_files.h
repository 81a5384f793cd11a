// Many files that can be read after the process may open no file any more (common/sandbox).
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa::learning::kinds {

// Keeps a descriptor for each file while the process has enough of them. For further files it keeps their bytes in memory. Reading is
// const and thread-safe.
class OpenFiles {
 public:
  OpenFiles();
  explicit OpenFiles(std::size_t descriptors_max);  // of all objects of the process

  // Fails (data) if the file cannot be opened, is not a regular file, or has more than bytes_max bytes.
  [[nodiscard]] Result<void> add(const std::filesystem::path& path, std::uint64_t bytes_max);
  // Closes the file that was added last.
  void remove_last();
  [[nodiscard]] std::size_t size() const { return files_.size(); }
  [[nodiscard]] std::uint64_t file_bytes(std::size_t index) const { return files_[index].bytes; }
  // All bytes of file `index`. Fails (data) if it is shorter now.
  [[nodiscard]] Result<std::vector<std::byte>> read(std::size_t index,
                                                    const std::filesystem::path& path) const;
  // The bytes of file `index` from offset on: fewer than out.size() only at its end.
  [[nodiscard]] Result<std::size_t> read_part(std::size_t index, std::uint64_t offset,
                                              std::span<std::byte> out,
                                              const std::filesystem::path& path) const;
  [[nodiscard]] std::uint64_t memory_bytes() const { return memory_bytes_; }

 private:
  struct File {
    Descriptor descriptor;  // closed: its bytes are in memory
    std::uint64_t bytes = 0;
    std::vector<std::byte> content;
  };
  std::vector<File> files_;
  std::size_t descriptors_max_;
  std::shared_ptr<std::size_t> held_;  // descriptors of this object
  std::uint64_t memory_bytes_ = 0;
};

}  // namespace hansa::learning::kinds
