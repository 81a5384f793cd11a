// A file that is mapped into memory: its bytes are read from the disk when they are used. The trainer can use them after
// it has locked itself, when it can open no file.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "common/descriptor.h"
#include "common/error.h"
#include "learning/data/kinds/arrays/array.h"
#include "learning/data/kinds/arrays/mapping_guard.h"

namespace hansa::learning::kinds {

class MappedFile final : public ArrayMemory {
 public:
  // `hint` is the hint of the error if there is no such file.
  [[nodiscard]] static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path,
                                                                      const std::string& hint);
  ~MappedFile() override;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return 0; }
  // Fails if the file is shorter now, or was when bytes were read, which are zeros then (mapping_guard.h). To be called before
  // and after bytes are read.
  [[nodiscard]] Result<void> check() const override;

 private:
  MappedFile(std::filesystem::path path, Descriptor file, std::span<const std::byte> bytes);

  std::filesystem::path path_;
  Descriptor file_;
  std::span<const std::byte> bytes_;
  MappingGuard guard_;
};

}  // namespace hansa::learning::kinds
