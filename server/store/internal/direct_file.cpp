#include "server/store/internal/direct_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace hansa::server::internal {
namespace {

constexpr std::size_t alignment = 4096;  // of memory, offset and size; sufficient for most disks
constexpr std::size_t block_bytes = 2 << 20;
constexpr std::size_t direct_bytes_min = 1 << 20;
constexpr std::size_t direct_bytes_max = 8 << 20;  // in one write

bool set_direct(int file, bool direct) {
  const int flags = ::fcntl(file, F_GETFL);
  return flags >= 0 && ::fcntl(file, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

}  // namespace

Result<void> DirectWriter::write(const Descriptor& file, std::span<const std::byte> bytes,
                                 const std::filesystem::path& place) {
  if (bytes.size() < direct_bytes_min) return write_whole(file, bytes, place);
  if (!set_direct(file.get(), true)) return write_whole(file, bytes, place);
  for (std::size_t done = 0; done < bytes.size();) {
    const std::byte* from = bytes.data() + done;
    // Aligned bytes in whole pages are written in place. Other bytes are copied to the block, which is padded with
    // zeros at the end.
    std::size_t count = std::min(direct_bytes_max, bytes.size() - done) / alignment * alignment;
    std::size_t padded = count;
    if (count == 0 || reinterpret_cast<std::uintptr_t>(from) % alignment != 0) {
      if (!block_) block_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, block_bytes)));
      if (!block_) return fail(ErrorCode::resource, place.string(), "got no memory to be written");
      count = std::min(block_bytes, bytes.size() - done);
      padded = (count + alignment - 1) / alignment * alignment;
      std::memcpy(block_.get(), from, count);
      std::memset(block_.get() + count, 0, padded - count);
      from = block_.get();
    }
    for (std::size_t written = 0; written < padded;) {
      const ssize_t n =
          ::pwrite(file.get(), from + written, padded - written, static_cast<off_t>(done + written));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EINVAL) {
        // This file system, or its disk, requires another alignment: the file is written again, through the cache.
        set_direct(file.get(), false);
        if (::lseek(file.get(), 0, SEEK_SET) < 0 || ::ftruncate(file.get(), 0) != 0)
          return fail_with_errno(place, "cannot be written");
        return write_whole(file, bytes, place);
      }
      if (n <= 0) {
        if (n == 0) errno = ENOSPC;
        return fail_with_errno(place, "cannot be written");
      }
      written += static_cast<std::size_t>(n);
      // A short write ended at an unaligned offset: the rest is written through the cache.
      if (written < padded && written % alignment != 0) set_direct(file.get(), false);
    }
    done += count;
  }
  set_direct(file.get(), false);
  if (::ftruncate(file.get(), static_cast<off_t>(bytes.size())) != 0)
    return fail_with_errno(place, "cannot be cut to its size");
  return {};
}

}  // namespace hansa::server::internal
