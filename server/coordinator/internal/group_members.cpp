#include "server/coordinator/internal/group_members.h"

#include <algorithm>
#include <utility>

#include "common/random.h"

namespace hansa::server {

void GroupMembers::pause(std::span<const std::string> clients, Instant until) {
  for (const std::string& client : clients) ask_after_[client] = until;
}

std::vector<std::string> GroupMembers::take(const Next& next) {
  auto out = choose(next);
  queue_.remove(out);
  return out;
}

std::vector<std::string> GroupMembers::choose(const Next& next) {
  const std::size_t size = shared_.config.settings.cohort.buffered.updates;
  std::vector<ReadyQueue::Entry> ready;
  bool is_suspect_paused = false;
  for (const ReadyQueue::Entry& entry : queue_.order()) {
    const auto paused = ask_after_.find(entry.client);
    if (paused == ask_after_.end() || paused->second <= next.now) ready.push_back(entry);
    else is_suspect_paused = is_suspect_paused || shared_.search.suspects(entry.client);
  }
  if (ready.size() < size) return {};
  std::vector<std::string> names;
  for (const ReadyQueue::Entry& entry : ready) names.push_back(entry.client);
  if (shared_.search.is_active()) {
    // One group at a time, so that each sum shows what the search needs to know; and not without the suspects.
    if (!next.is_alone || is_suspect_paused) return {};
    auto members = choose_for_search(names, next.sum);
    if (shared_.search.is_active()) return members;
  }
  std::ranges::sort(names);
  const auto apart = shared_.contradictions.keep_apart(
      std::move(names), size, derive_seed(shared_.config.process.session_seed, "apart", next.sum));
  std::erase_if(ready, [&](const ReadyQueue::Entry& entry) {
    return !std::ranges::binary_search(apart, entry.client);
  });
  return choose_group(ready, size, next.now,
                      [&](const std::string& client) { return shared_.clients.find(client)->round_seconds; });
}

// The search compares clients with those of sums that were committed, so that first a sum is made with as many others as
// there are.
std::vector<std::string> GroupMembers::choose_for_search(std::vector<std::string> ready, SumNumber sum) {
  const std::size_t size = shared_.config.settings.cohort.buffered.updates;
  std::vector<std::string> others, suspects;
  for (const std::string& client : ready)
    (shared_.search.suspects(client) ? suspects : others).push_back(client);
  if (shared_.search.knows_clean() || others.empty() || suspects.empty()) {
    std::ranges::sort(ready);
    return shared_.search.next(ready, size, size);
  }
  Random random(derive_seed(shared_.config.process.session_seed, "suspects", sum));
  random.shuffle(std::span(suspects));
  others.insert(others.end(), suspects.begin(), suspects.end());
  others.resize(size);
  std::ranges::sort(others);
  return others;
}

}  // namespace hansa::server
