// Memory directly from the kernel: page-aligned, initially zero, on huge pages where the kernel supports them.
//
// A sum of ten million elements takes 80 MB. On small pages that is 20,000 page faults and as many TLB misses. Files
// can be written from whole pages without a copy.
#pragma once
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace hansa {

inline constexpr std::size_t huge_page_bytes = 2 << 20;

// Returns null if there is no memory or bytes is 0.
[[nodiscard]] std::byte* map_pages(std::size_t bytes) noexcept;
void unmap_pages(std::byte* pages, std::size_t bytes) noexcept;

class PageBuffer {
 public:
  PageBuffer() = default;
  // data() is null if there is no memory or bytes is 0.
  explicit PageBuffer(std::size_t bytes) : data_(map_pages(bytes)), size_(data_ == nullptr ? 0 : bytes) {}
  ~PageBuffer() { unmap_pages(data_, size_); }
  PageBuffer(PageBuffer&& other) noexcept { *this = std::move(other); }
  PageBuffer& operator=(PageBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// An allocator for containers: large blocks come from map_pages, small ones from the heap.
template <class T>
struct PageAllocator {
  using value_type = T;
  PageAllocator() = default;
  template <class U>
  PageAllocator(const PageAllocator<U>&) noexcept {}  // NOLINT: converts as allocators do
  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    const std::size_t bytes = count * sizeof(T);
    if (bytes < huge_page_bytes) return static_cast<T*>(::operator new(bytes));
    std::byte* const pages = map_pages(bytes);
    if (pages == nullptr) throw std::bad_alloc();
    return reinterpret_cast<T*>(pages);
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    const std::size_t bytes = count * sizeof(T);
    if (bytes < huge_page_bytes) ::operator delete(memory);
    else unmap_pages(reinterpret_cast<std::byte*>(memory), bytes);
  }
  friend bool operator==(const PageAllocator&, const PageAllocator&) { return true; }
};

// Freeing a large PageVector returns its memory to the kernel at once. A heap may keep it for the thread that freed it.
template <class T>
using PageVector = std::vector<T, PageAllocator<T>>;

}  // namespace hansa
