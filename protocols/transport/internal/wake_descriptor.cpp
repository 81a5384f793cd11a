#include "protocols/transport/internal/wake_descriptor.h"

#include <cerrno>
#include <cstdint>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace hansa::transport {

WakeDescriptor::WakeDescriptor() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category());
}

WakeDescriptor::~WakeDescriptor() { ::close(descriptor_); }

void WakeDescriptor::notify() {
  const std::uint64_t one = 1;
  // The only failure is a full counter, and then the descriptor is readable already.
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, &one, sizeof one);
}

void WakeDescriptor::clear() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = ::read(descriptor_, &count, sizeof count);
}

}  // namespace hansa::transport
