#include "server/aggregation/spool.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/files.h"
#include "common/kernels/copy.h"
#include "common/read_at.h"
#include "server/aggregation/internal/nameless_file.h"

namespace hansa::server {
namespace {

constexpr std::size_t block_bytes = 1 << 20;
constexpr std::uint64_t large_bytes = 8 << 20;  // more than a core keeps in its caches

// What helps if the disk is full.
constexpr const char* hint = "free space there, or raise limits.spool_memory_mib";

using internal::fail_with;

}  // namespace

SpoolPool::SpoolPool(std::filesystem::path folder, std::uint64_t memory_bytes_max)
    : folder_(std::move(folder)), memory_bytes_max_(memory_bytes_max) {}
SpoolPool::~SpoolPool() = default;

bool SpoolPool::has_room(std::uint64_t bytes) const {
  if (bytes > memory_bytes_max_) return false;
  std::uint64_t idle = 0;
  for (const auto& buffer : idle_buffers_) {
    if (buffer.size() >= bytes) return true;
    idle += buffer.size();
  }
  return memory_bytes_held_ - idle <= memory_bytes_max_ - bytes;
}

PageBuffer SpoolPool::take(std::uint64_t bytes) {
  if (!has_room(bytes)) return {};
  // The smallest idle buffer that is large enough.
  auto best = idle_buffers_.end();
  for (auto it = idle_buffers_.begin(); it != idle_buffers_.end(); ++it)
    if (it->size() >= bytes && (best == idle_buffers_.end() || it->size() < best->size())) best = it;
  if (best != idle_buffers_.end()) {
    PageBuffer buffer = std::move(*best);
    idle_buffers_.erase(best);
    return buffer;
  }
  while (memory_bytes_held_ > memory_bytes_max_ - bytes) {
    memory_bytes_held_ -= idle_buffers_.back().size();
    idle_buffers_.pop_back();
  }
  PageBuffer buffer(bytes);
  memory_bytes_held_ += buffer.size();
  return buffer;
}

void SpoolPool::give_back(PageBuffer buffer) { idle_buffers_.push_back(std::move(buffer)); }

struct Spool::State {
  SpoolPool* pool;
  std::uint64_t size;
  std::uint64_t received = 0;
  PageBuffer memory;
  Descriptor file;  // empty: the spool is in memory
  RunningChecksum sum;

  State(SpoolPool& in, std::uint64_t bytes) : pool(&in), size(bytes) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (memory.size() != 0) pool->give_back(std::move(memory));
  }
};

Spool::Spool(std::unique_ptr<State> state) : state_(std::move(state)) {}
Spool::~Spool() = default;
Spool::Spool(Spool&&) noexcept = default;
Spool& Spool::operator=(Spool&&) noexcept = default;

bool Spool::in_memory() const { return !state_->file; }
std::uint64_t Spool::size() const { return state_->size; }
std::uint64_t Spool::received() const { return state_->received; }
std::span<const std::byte> Spool::arrived() const {
  if (!in_memory()) return {};
  return {state_->memory.data(), static_cast<std::size_t>(state_->received)};
}

Result<Spool> Spool::create(SpoolPool& pool, std::uint64_t bytes) {
  auto state = std::make_unique<State>(pool, bytes);
  if (bytes == 0) return Spool(std::move(state));
  state->memory = pool.take(bytes);
  if (state->memory.size() != 0) return Spool(std::move(state));

  HANSA_TRY_VOID(make_folders(pool.folder_));
  HANSA_TRY(state->file, internal::open_nameless(pool.folder_, hint));
  // Reserves room for the complete update, so that a full disk is reported before the upload starts.
  while (::fallocate(state->file.get(), 0, 0, static_cast<off_t>(bytes)) != 0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS) break;  // append() then reports a full disk
    return fail_with(errno, pool.folder_, "has no room for an update of " + std::to_string(bytes) + " bytes",
                     hint);
  }
  return Spool(std::move(state));
}

Result<void> Spool::append(std::span<const std::byte> data) {
  State& state = *state_;
  assert(data.size() <= state.size - state.received);
  if (!state.file) {
    const std::span<std::byte> to(reinterpret_cast<std::byte*>(state.memory.data()) + state.received,
                                  data.size());
    // A large spool is read again only after other data has evicted it from the caches, or not at all.
    if (state.size >= large_bytes) kernels::copy_past_caches(to, data);
    else std::ranges::copy(data, to.begin());
  } else {
    for (std::size_t done = 0; done < data.size();) {
      const ssize_t n = ::pwrite(state.file.get(), data.data() + done, data.size() - done,
                                 static_cast<off_t>(state.received + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0)
        return fail_with(n < 0 ? errno : ENOSPC, state.pool->folder_, "cannot keep an update", hint);
      done += static_cast<std::size_t>(n);
    }
  }
  state.sum.update(data);
  state.received += data.size();
  return {};
}

Checksum Spool::checksum() const {
  assert(complete());
  return state_->sum.value();
}

Result<void> Spool::visit(
    const std::function<Result<void>(std::span<const float>, std::size_t)>& visit_block) const {
  if (size() % sizeof(float) != 0)
    return fail(ErrorCode::protocol, "update",
                "has " + std::to_string(size()) + " bytes, which is no multiple of 4");
  return visit_bytes([&](std::span<const std::byte> bytes, std::uint64_t offset) {
    // The values are aligned: buffers start at pages, and blocks at multiples of 4.
    return visit_block({reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)},
                       static_cast<std::size_t>(offset / sizeof(float)));
  });
}

Result<std::span<const std::byte>> Spool::whole(std::vector<std::byte>& memory) const {
  assert(complete());
  if (in_memory()) return arrived();
  memory.resize(size());
  HANSA_TRY_VOID(visit_bytes([&](std::span<const std::byte> bytes, std::uint64_t offset) -> Result<void> {
    std::ranges::copy(bytes, memory.begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
  }));
  return std::span<const std::byte>(memory);
}

Result<void> Spool::visit_bytes(
    const std::function<Result<void>(std::span<const std::byte>, std::uint64_t)>& visit_block) const {
  const State& state = *state_;
  assert(complete());
  if (state.size == 0) return {};
  if (!state.file)
    return visit_block(
        {reinterpret_cast<const std::byte*>(state.memory.data()), static_cast<std::size_t>(state.size)}, 0);
  // The block is taken out of the pool while it is in use, so that a nested visit gets its own block.
  PageBuffer block = std::move(state.pool->block_);
  if (block.size() == 0) block = PageBuffer(block_bytes);
  if (block.size() == 0) return fail(ErrorCode::resource, "spool", "got no memory for a block of an update");
  Result<void> outcome;
  for (std::uint64_t offset = 0; outcome && offset < state.size;) {
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes, state.size - offset));
    const auto read = read_at(state.file, offset, {reinterpret_cast<std::byte*>(block.data()), bytes});
    if (!read) outcome = fail_with(errno, state.pool->folder_, "cannot give an update back", hint);
    else if (*read != bytes)
      outcome = fail(ErrorCode::storage, state.pool->folder_.string(), "has lost the end of an update");
    if (outcome) outcome = visit_block({reinterpret_cast<const std::byte*>(block.data()), bytes}, offset);
    offset += bytes;
  }
  state.pool->block_ = std::move(block);
  return outcome;
}

}  // namespace hansa::server
