#include "protocols/transport/internal/wake_descriptor.h"

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <system_error>

namespace hansa::transport {

WakeDescriptor::WakeDescriptor() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!descriptor_) throw std::system_error(errno, std::generic_category());
}

void WakeDescriptor::notify() {
  const std::uint64_t one = 1;
  // It fails only if the counter is full, and then the descriptor is readable already.
  [[maybe_unused]] const ssize_t written = ::write(descriptor_.get(), &one, sizeof one);
}

void WakeDescriptor::clear() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = ::read(descriptor_.get(), &count, sizeof count);
}

}  // namespace hansa::transport
