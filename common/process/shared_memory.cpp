#include "common/process/shared_memory.h"

#include <utility>

#include <fcntl.h>
#include <sys/mman.h>

namespace hansa {
namespace {

tl::unexpected<Error> fail_memory(const char* what) {
  return fail(ErrorCode::resource, "shared memory", std::string(what) + " (" + std::strerror(errno) + ")");
}

}  // namespace

Result<SharedMemory> SharedMemory::create(std::size_t bytes) {
  Descriptor file(::memfd_create("hansa", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return fail_memory("cannot be created");
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) return fail_memory("cannot be given its size");
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return fail_memory("cannot be sealed");
  return map(std::move(file), bytes);
}

Result<SharedMemory> SharedMemory::map(Descriptor file, std::size_t bytes) {
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  if (bytes == 0 || end < 0 || static_cast<std::size_t>(end) < bytes)
    return fail(ErrorCode::internal, "shared memory", "is smaller than it should be");
  void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED) return fail_memory("cannot be mapped");
  SharedMemory out;
  out.file_ = std::move(file);
  out.bytes_ = {static_cast<std::byte*>(at), bytes};
  return out;
}

SharedMemory::~SharedMemory() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : file_(std::move(other.file_)), bytes_(std::exchange(other.bytes_, {})) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace hansa
