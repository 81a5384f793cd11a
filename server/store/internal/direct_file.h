// Large files past the page cache: written once, and seldom read back. Copying them into fresh pages of the cache costs more
// than the disk does.
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
  // All of bytes into an empty file, not yet flushed; without a copy if they begin on a page (common/page_memory.h). Small ones, and
  // those on file systems that know no direct writes, go through the cache. Fails (storage, resource) naming place.
  [[nodiscard]] Result<void> write(const Descriptor& file, std::span<const std::byte> bytes,
                                   const std::filesystem::path& place);

 private:
  struct Free {
    void operator()(std::byte* block) const noexcept { std::free(block); }
  };
  std::unique_ptr<std::byte[], Free> block_;
};

}  // namespace hansa::server::internal
