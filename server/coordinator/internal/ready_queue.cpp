#include "server/coordinator/internal/ready_queue.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <string_view>

namespace hansa::server {

void ReadyQueue::update(std::span<const std::string> ready, Instant now) {
  const std::set<std::string_view> known(ready.begin(), ready.end());
  std::erase_if(order_, [&](const Entry& entry) { return !known.contains(entry.client); });
  append(ready, now);
}

void ReadyQueue::append(std::span<const std::string> clients, Instant now) {
  std::set<std::string, std::less<>> known;
  for (const Entry& entry : order_) known.insert(entry.client);
  for (const std::string& client : clients)
    if (known.insert(client).second) order_.push_back({client, now});
}

void ReadyQueue::remove(std::span<const std::string> clients) {
  std::erase_if(
      order_, [&](const Entry& entry) { return std::ranges::find(clients, entry.client) != clients.end(); });
}

std::vector<std::string> choose_group(std::span<const ReadyQueue::Entry> ready, std::size_t size, Instant now,
                                      const std::function<double(const std::string& client)>& seconds) {
  assert(size > 0 && ready.size() >= size);
  struct Timed {
    std::string client;
    double seconds;
  };
  std::vector<Timed> by_speed;
  for (const ReadyQueue::Entry& entry : ready) by_speed.push_back({entry.client, seconds(entry.client)});
  const Timed first = by_speed.front();
  const bool is_due = hansa::seconds(now - ready.front().since) >= first.seconds;
  std::ranges::stable_sort(by_speed, {}, &Timed::seconds);
  std::size_t begin = 0;  // of the fastest group
  if (is_due) {
    const auto at = static_cast<std::size_t>(std::ranges::find(by_speed, first.client, &Timed::client) -
                                             by_speed.begin());
    begin = at + 1 > size ? at + 1 - size : 0;
  }
  std::vector<std::string> out;
  for (std::size_t i = begin; i < begin + size; ++i) out.push_back(by_speed[i].client);
  std::ranges::sort(out);
  return out;
}

}  // namespace hansa::server
