// A descriptor that any thread can make readable, to wake a poll loop.
#pragma once

#include "common/descriptor.h"

namespace hansa::transport {

// notify() may be called from any thread; the other functions only from the thread that polls.
class WakeDescriptor {
 public:
  WakeDescriptor();  // throws std::system_error if no descriptor is left

  [[nodiscard]] int get() const { return descriptor_.get(); }
  void notify();
  // Makes the descriptor unreadable until the next notify().
  void clear();

 private:
  Descriptor descriptor_;
};

}  // namespace hansa::transport
