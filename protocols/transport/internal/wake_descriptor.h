// A descriptor that becomes readable when any thread says so: wakes a poll loop.
#pragma once

namespace hansa::transport {

// notify() from any thread; the rest from the thread that polls.
class WakeDescriptor {
 public:
  WakeDescriptor();  // throws std::system_error when no descriptor is left
  ~WakeDescriptor();
  WakeDescriptor(const WakeDescriptor&) = delete;
  WakeDescriptor& operator=(const WakeDescriptor&) = delete;

  [[nodiscard]] int get() const { return descriptor_; }
  void notify();
  // Unreadable again until the next notify().
  void clear();

 private:
  int descriptor_;
};

}  // namespace hansa::transport
