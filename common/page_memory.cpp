#include "common/page_memory.h"

#include <cstdint>
#include <limits>

#include <sys/mman.h>
#include <unistd.h>

namespace hansa {
namespace {

std::size_t whole_pages(std::size_t bytes) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

}  // namespace

std::byte* map_pages(std::size_t bytes) noexcept {
  if (bytes == 0 || bytes > std::numeric_limits<std::size_t>::max() - 2 * huge_page_bytes) return nullptr;
  const bool huge = bytes >= huge_page_bytes;
  const std::size_t wanted = whole_pages(bytes);
  // mmap aligns to small pages. One additional huge page leaves room to align the start to a huge page.
  const std::size_t mapped = huge ? wanted + huge_page_bytes : wanted;
  void* const memory = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(memory);
  if (!huge) return begin;
  const std::size_t before =
      (huge_page_bytes - reinterpret_cast<std::uintptr_t>(begin) % huge_page_bytes) % huge_page_bytes;
  if (before > 0) ::munmap(begin, before);
  if (before < huge_page_bytes) ::munmap(begin + before + wanted, huge_page_bytes - before);
  // Only advice: a kernel without huge pages refuses it and uses small ones.
  (void)::madvise(begin + before, wanted, MADV_HUGEPAGE);
  return begin + before;
}

void unmap_pages(std::byte* pages, std::size_t bytes) noexcept {
  if (pages != nullptr) ::munmap(pages, whole_pages(bytes));
}

}  // namespace hansa
