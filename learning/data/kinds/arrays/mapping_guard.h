// Keeps a process alive that reads a mapped file which another process truncates meanwhile.
//
// The kernel answers a read of bytes that the file has no longer with SIGBUS, which ends the process. The handler of this file
// maps zeros over the rest of the mapping, so that the read continues, and marks the mapping, so that the reader learns it.
// (Wayland's libwayland-server protects a compositor from its clients' files in this way.) A fault at any other address
// has its usual effect.
#pragma once
#include <cstddef>
#include <span>

namespace hansa::learning::kinds {

class MappingGuard {
 public:
  // mapping: from mmap(2), and mapped as long as the guard exists. Of more than guards_max mappings at the same time, the
  // others are not guarded.
  explicit MappingGuard(std::span<const std::byte> mapping);
  ~MappingGuard();
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;

  static constexpr std::size_t guards_max = 4096;

  // Whether bytes were missing when they were read. They were read as zeros. Thread-safe.
  [[nodiscard]] bool has_faulted() const;

 private:
  std::size_t slot_ = guards_max;
};

}  // namespace hansa::learning::kinds
