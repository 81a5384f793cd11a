// Which clients are in the next group of buffered aggregation with secure aggregation: those that have been ready for the
// longest, and of them those that take a similar time (ready_queue.h); others while a culprit is searched for.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/time.h"
#include "server/coordinator/internal/ready_queue.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class GroupMembers {
 public:
  explicit GroupMembers(Shared& shared) : shared_(shared) {}

  // As of ReadyQueue.
  void update(std::span<const std::string> ready, Instant now) { queue_.update(ready, now); }
  void append(std::span<const std::string> clients, Instant now) { queue_.append(clients, now); }
  // The clients of a group that failed are in no group before this time. They keep their places in the queue.
  void pause(std::span<const std::string> clients, Instant until);

  struct Next {
    SumNumber sum = 0;  // of the next group
    bool is_alone = false;  // no other group works
    Instant now;
  };
  // Takes the clients of the next group out of the queue, sorted. Empty: there are too few, or the search for a culprit waits.
  [[nodiscard]] std::vector<std::string> take(const Next& next);

 private:
  [[nodiscard]] std::vector<std::string> choose(const Next& next);
  // While a culprit is searched for. ready: at least as many as a group has, in the order in which they became ready.
  [[nodiscard]] std::vector<std::string> choose_for_search(std::vector<std::string> ready, SumNumber sum);

  Shared& shared_;
  ReadyQueue queue_;
  std::map<std::string, Instant, std::less<>> ask_after_;  // of pause()
};

}  // namespace hansa::server
