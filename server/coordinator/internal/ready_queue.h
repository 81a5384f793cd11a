// The clients that can be in the next group, in the order in which they became ready. A pure value.
#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/time.h"

namespace hansa::server {

class ReadyQueue {
 public:
  struct Entry {
    std::string client;
    Instant since;
  };

  // These clients are ready now. Others leave the queue; those that are new are appended in the given order.
  void update(std::span<const std::string> ready, Instant now);
  // These clients are about to be ready: they keep this order among them, whatever the order of later calls.
  void append(std::span<const std::string> clients, Instant now);
  void remove(std::span<const std::string> clients);

  [[nodiscard]] const std::vector<Entry>& order() const { return order_; }

 private:
  std::vector<Entry> order_;  // each client once
};

// `size` of these clients whose last tasks took the most similar time: those of which the slowest one is fastest. The first
// one must be among them once it has waited for as long as its own last task took, so that slow clients, which are passed over
// as long as there are enough fast ones, come in their turn. ready: in the order in which they became ready, at least `size`.
// seconds: of a client's last task; 0 if it is not known. The result is sorted.
[[nodiscard]] std::vector<std::string> choose_group(
    std::span<const ReadyQueue::Entry> ready, std::size_t size, Instant now,
    const std::function<double(const std::string& client)>& seconds);

}  // namespace hansa::server
