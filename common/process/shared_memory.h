// Memory that a program shares with its child process: an anonymous file (memfd) of a fixed size.
//
// The size is sealed, so that neither side can take pages away under the other one, which would end it by SIGBUS. What
// the other side writes may change at any time: copy a value first, then check the copy.
#pragma once
#include <cstddef>
#include <span>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa {

class SharedMemory {
 public:
  SharedMemory() = default;
  // Memory of zeros. Pages take memory when they are written first. Fails (resource).
  [[nodiscard]] static Result<SharedMemory> create(std::size_t bytes);
  // Maps memory that another process has created. Fails (internal) if it has fewer bytes.
  [[nodiscard]] static Result<SharedMemory> map(Descriptor file, std::size_t bytes);
  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  [[nodiscard]] int descriptor() const { return file_.get(); }

 private:
  Descriptor file_;
  std::span<std::byte> bytes_;
};

}  // namespace hansa
