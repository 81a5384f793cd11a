// Reads from a position of a file, as often as it takes.
#pragma once
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <unistd.h>

#include "common/descriptor.h"

namespace hansa {

// The number of bytes that were read: fewer than out.size() only at the end of the file. Empty: the file cannot be
// read, and errno says why.
[[nodiscard]] inline std::optional<std::size_t> read_at(const Descriptor& file, std::uint64_t offset,
                                                        std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        ::pread(file.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace hansa
