#include "server/http/internal/event_queue.h"

#include <algorithm>
#include <utility>

namespace hansa::http::internal {

void EventQueue::push(std::shared_ptr<const StreamedEvent> event) {
  if (event->is_kept) {
    const auto older = std::ranges::find(events_, event->name, [](const auto& e) { return e->name; });
    if (older != events_.end()) {
      bytes_ -= (*older)->text.size();
      events_.erase(older);
    }
  }
  // A kept event always has a place, so that a reader never stays with an old state.
  const bool has_room =
      events_.size() < bounds_.events_max && bytes_ + event->text.size() <= bounds_.bytes_max;
  if (!has_room && !event->is_kept) {
    ++lost_;
    ++lost_in_all_;
    return;
  }
  bytes_ += event->text.size();
  events_.push_back(std::move(event));
}

std::string EventQueue::take() {
  std::string out;
  while (!events_.empty() &&
         (out.empty() || out.size() + events_.front()->text.size() <= bounds_.taken_bytes_max)) {
    out += events_.front()->text;
    bytes_ -= events_.front()->text.size();
    events_.pop_front();
  }
  if (events_.empty() && lost_ > 0) {
    out += "event: log\ndata: {\"lost\":" + std::to_string(lost_) + "}\n\n";
    lost_ = 0;
  }
  return out;
}

}  // namespace hansa::http::internal
