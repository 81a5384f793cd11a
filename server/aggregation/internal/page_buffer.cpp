#include "server/aggregation/internal/page_buffer.h"

#include <cstdint>
#include <limits>

#include <sys/mman.h>

namespace hansa::server::internal {
namespace {
constexpr std::size_t huge_page_bytes = 2 << 20;
}  // namespace

PageBuffer::PageBuffer(std::size_t bytes) {
  if (bytes == 0 || bytes > std::numeric_limits<std::size_t>::max() - huge_page_bytes) return;
  const bool huge = bytes >= huge_page_bytes;
  // The kernel aligns to 4 KiB; room for one huge page more lets data() start on a huge one.
  const std::size_t mapped = huge ? bytes + huge_page_bytes : bytes;
  void* const memory = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  mapping_ = memory;
  mapping_bytes_ = mapped;
  data_ = static_cast<std::byte*>(memory);
  size_ = bytes;
  if (huge) {
    const std::size_t past = reinterpret_cast<std::uintptr_t>(memory) % huge_page_bytes;
    if (past != 0) data_ += huge_page_bytes - past;
    // Advice: a kernel without huge pages refuses it, and small pages serve as well.
    (void)::madvise(data_, bytes, MADV_HUGEPAGE);
  }
}

PageBuffer::~PageBuffer() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapping_bytes_);
}

}  // namespace hansa::server::internal
