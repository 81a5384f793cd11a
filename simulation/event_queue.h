// A virtual clock that executes actions at their instants, in order; actions of equal instants in order of arrival.
#pragma once
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "common/time.h"

namespace hansa::simulation {

class EventQueue {
 public:
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] bool empty() const { return actions_.empty(); }
  [[nodiscard]] Instant next() const { return actions_.top().at; }

  void at(Instant when, std::function<void()> action) {
    actions_.push({std::max(when, now_), sequence_++, std::move(action)});
  }
  void after(Duration delay, std::function<void()> action) { at(now_ + delay, std::move(action)); }

  // Moves the clock to the next action and executes it. The queue must not be empty.
  void step() {
    auto action = std::move(const_cast<Action&>(actions_.top()).action);  // popped on the next line
    now_ = actions_.top().at;
    actions_.pop();
    action();
  }

 private:
  struct Action {
    Instant at;
    std::uint64_t sequence;
    std::function<void()> action;
    bool operator<(const Action& other) const {
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };
  Instant now_{};
  std::uint64_t sequence_ = 0;
  std::priority_queue<Action> actions_;
};

}  // namespace hansa::simulation
