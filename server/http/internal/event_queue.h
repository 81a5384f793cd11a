// What waits to be sent to one reader of the event stream, in bounded memory. Pure; one thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace hansa::http::internal {

// An event as its stream has it, shared by all streams.
struct StreamedEvent {
  std::string name;
  std::string text;  // "id: 7\nevent: round\ndata: {...}\n\n"
  bool is_kept = false;  // only the newest of its name is of interest
};

class EventQueue {
 public:
  struct Bounds {
    std::size_t events_max = 256;
    std::size_t bytes_max = 256 << 10;
    std::size_t taken_bytes_max = 64 << 10;  // at once; one event may be larger
  };
  explicit EventQueue(const Bounds& bounds) : bounds_(bounds) {}

  // Takes the place of a waiting event of its name, if it is a kept one. Otherwise, without room, the event is lost and
  // counted.
  void push(std::shared_ptr<const StreamedEvent> event);
  [[nodiscard]] bool is_empty() const { return events_.empty() && lost_ == 0; }
  // What waits, up to the limit. After a loss the last of it is "event: log" with {"lost": N}.
  [[nodiscard]] std::string take();
  [[nodiscard]] std::uint64_t lost() const { return lost_in_all_; }

 private:
  Bounds bounds_;
  std::deque<std::shared_ptr<const StreamedEvent>> events_;
  std::size_t bytes_ = 0;
  std::uint64_t lost_ = 0, lost_in_all_ = 0;
};

}  // namespace hansa::http::internal
