// Memory straight from the kernel: page aligned, zero at first, on huge pages where the kernel has them.
//
// A sum of ten million elements is 80 MB: 20,000 small pages, and as many faults and TLB misses.
#pragma once
#include <cstddef>
#include <utility>

namespace hansa::server::internal {

class PageBuffer {
 public:
  PageBuffer() = default;
  // data() is null when there is no memory, or bytes is 0.
  explicit PageBuffer(std::size_t bytes);
  ~PageBuffer();
  PageBuffer(PageBuffer&& other) noexcept { *this = std::move(other); }
  PageBuffer& operator=(PageBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapping_, other.mapping_);
    std::swap(mapping_bytes_, other.mapping_bytes_);
    return *this;
  }

  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  void* mapping_ = nullptr;
  std::size_t mapping_bytes_ = 0;
};

}  // namespace hansa::server::internal
