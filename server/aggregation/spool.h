// An update that is being received: its bytes in order, in memory or in an unlinked file, with a running checksum.
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

// Shared by all spools of one aggregator: the memory budget, the folder for files, and buffers that are kept for reuse,
// because the first touch of fresh memory is slow.
class SpoolPool {
 public:
  // The folder is created when the first file is needed. memory_bytes_max limits the buffers in use and the idle ones,
  // but not the block of Spool::visit.
  SpoolPool(std::filesystem::path folder, std::uint64_t memory_bytes_max);
  ~SpoolPool();
  SpoolPool(const SpoolPool&) = delete;
  SpoolPool& operator=(const SpoolPool&) = delete;

  // Bytes of buffers in use and idle: never above memory_bytes_max.
  [[nodiscard]] std::uint64_t memory_bytes_held() const { return memory_bytes_held_; }
  // Whether a spool of this size would be stored in memory.
  [[nodiscard]] bool has_room(std::uint64_t bytes) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  friend class Spool;
  // A buffer of at least this size; an empty one if the budget does not allow it.
  [[nodiscard]] PageBuffer take(std::uint64_t bytes);
  void give_back(PageBuffer buffer);

  std::filesystem::path folder_;
  std::uint64_t memory_bytes_max_;
  std::uint64_t memory_bytes_held_ = 0;
  std::vector<PageBuffer> idle_buffers_;
  PageBuffer block_;  // for visits of files
};

class Spool {
 public:
  // bytes: the update's size. The spool is in memory if the pool's budget allows it, otherwise in a file without a
  // name, so that a crash leaves nothing behind. Fails (storage) if the file cannot be created or the disk has no room
  // for the complete update.
  [[nodiscard]] static Result<Spool> create(SpoolPool& pool, std::uint64_t bytes);
  ~Spool();
  Spool(Spool&&) noexcept;
  Spool& operator=(Spool&&) noexcept;

  [[nodiscard]] bool in_memory() const;
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::uint64_t received() const;  // the offset of the next append
  [[nodiscard]] bool complete() const { return received() == size(); }
  // The bytes received so far; empty unless the spool is in memory.
  [[nodiscard]] std::span<const std::byte> arrived() const;
  // Requires received() + data.size() <= size(). Fails (storage) if the disk is full.
  [[nodiscard]] Result<void> append(std::span<const std::byte> data);
  // The checksum of a complete update.
  [[nodiscard]] Checksum checksum() const;
  // Requires a complete update. Calls visit_block(bytes, offset) for all bytes in order: one block if in memory,
  // otherwise blocks of 1 MiB. Stops at the first error: that of visit_block, (storage), or (resource) without memory
  // for a block.
  [[nodiscard]] Result<void> visit_bytes(
      const std::function<Result<void>(std::span<const std::byte>, std::uint64_t)>& visit_block) const;
  // All bytes of a complete update: in place if in memory, otherwise read from the file into `memory`. Fails as
  // visit_bytes does.
  [[nodiscard]] Result<std::span<const std::byte>> whole(std::vector<std::byte>& memory) const;
  // Like visit_bytes, for float32 values and the index of the first one. Fails (protocol) if the size is not a multiple
  // of 4.
  [[nodiscard]] Result<void> visit(
      const std::function<Result<void>(std::span<const float>, std::size_t)>& visit_block) const;

 private:
  struct State;
  explicit Spool(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hansa::server
