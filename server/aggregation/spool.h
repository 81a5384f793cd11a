// An update on its way in: bytes in order, in memory or in an unlinked file, hashed as they come.
//
// One thread uses a pool and all of its spools. A pool outlives its spools.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/checksum.h"
#include "common/error.h"
#include "common/page_memory.h"

namespace hansa::server {

// Shared by all spools of one aggregator: how many bytes may lie in memory, where the rest goes,
// and buffers kept for reuse (a first touch of fresh memory is slow).
class SpoolPool {
 public:
  // folder is made when the first file is needed. memory_bytes_max counts buffers in use and idle ones;
  // not the one block of Spool::visit.
  SpoolPool(std::filesystem::path folder, std::uint64_t memory_bytes_max);
  ~SpoolPool();
  SpoolPool(const SpoolPool&) = delete;
  SpoolPool& operator=(const SpoolPool&) = delete;

  // Bytes of buffers in use and idle: never above memory_bytes_max.
  [[nodiscard]] std::uint64_t memory_bytes_held() const { return memory_bytes_held_; }
  // Whether a spool of so many bytes would lie in memory.
  [[nodiscard]] bool has_room(std::uint64_t bytes) const;

 private:
  friend class Spool;
  // A buffer of at least bytes; of no size if the budget does not allow it.
  [[nodiscard]] PageBuffer take(std::uint64_t bytes);
  void give_back(PageBuffer buffer);

  std::filesystem::path folder_;
  std::uint64_t memory_bytes_max_;
  std::uint64_t memory_bytes_held_ = 0;
  std::vector<PageBuffer> idle_buffers_;
  PageBuffer block_;  // visit's, for files
};

class Spool {
 public:
  // bytes: the update's size. In memory if the pool's budget allows, else in a file that has no name, so that a
  // crash leaves nothing behind. Fails (storage) when the file cannot be made or the disk has no room for the whole.
  [[nodiscard]] static Result<Spool> create(SpoolPool& pool, std::uint64_t bytes);
  ~Spool();
  Spool(Spool&&) noexcept;
  Spool& operator=(Spool&&) noexcept;

  [[nodiscard]] bool in_memory() const;
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::uint64_t received() const;  // the offset the next append must have
  [[nodiscard]] bool complete() const { return received() == size(); }
  // What has arrived; empty unless in memory.
  [[nodiscard]] std::span<const std::byte> arrived() const;
  // Fails (storage) when the disk is full. data fits: received() + data.size() <= size().
  [[nodiscard]] Result<void> append(std::span<const std::byte> data);
  // Of all that was appended, when complete.
  [[nodiscard]] Checksum checksum() const;
  // Calls visit_block(bytes, offset) over the whole, in order: one block if in memory, else blocks of 1 MiB.
  // Only when complete. Stops at an error: visit_block's, or (storage) its own.
  [[nodiscard]] Result<void> visit_bytes(
      const std::function<Result<void>(std::span<const std::byte>, std::uint64_t)>& visit_block) const;
  // All of it, when complete: as it lies in memory, or read from the file into memory that is given. Fails (storage).
  [[nodiscard]] Result<std::span<const std::byte>> whole(std::vector<std::byte>& memory) const;
  // As visit_bytes for float32 values, with the index of the first. Fails (protocol) on a size that is no multiple of 4.
  [[nodiscard]] Result<void> visit(
      const std::function<Result<void>(std::span<const float>, std::size_t)>& visit_block) const;

 private:
  struct State;
  explicit Spool(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hansa::server
