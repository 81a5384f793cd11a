// Writes large files without the page cache. They are written once and seldom read back, and copying them into fresh
// pages of the cache takes longer than the disk.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa::server::internal {

// Keeps one aligned block for reuse. One thread at a time.
class DirectWriter {
 public:
  // Writes all bytes to an empty file, which is not flushed. The bytes are not copied if they start at a page
  // (common/page_memory.h). Small files, and files on file systems without direct writes, are written through the
  // cache. Fails (storage, resource), naming `place`.
  [[nodiscard]] Result<void> write(const Descriptor& file, std::span<const std::byte> bytes,
                                   const std::filesystem::path& place);

 private:
  struct Free {
    void operator()(std::byte* block) const noexcept { std::free(block); }
  };
  std::unique_ptr<std::byte[], Free> block_;
};

}  // namespace hansa::server::internal
