#include "server/selection/culprit_search.h"

#include <algorithm>
#include <iterator>

#include "common/random.h"

namespace hansa::server {
namespace {

// The clients train again for each refused sum, and help to open a model's sums only eight times.
constexpr std::uint32_t refused_in_a_row_max = 4;

bool has(const CulpritSearch::Clients& sorted, const std::string& client) {
  return std::ranges::binary_search(sorted, client);
}

CulpritSearch::Clients slice(const CulpritSearch::Clients& order, std::size_t first, std::size_t last) {
  CulpritSearch::Clients out(order.begin() + static_cast<std::ptrdiff_t>(first),
                             order.begin() + static_cast<std::ptrdiff_t>(last));
  std::ranges::sort(out);
  return out;
}

}  // namespace

void CulpritSearch::end() {
  suspects_.clear();
  clean_.clear();
  cohorts_.clear();
  groups_.clear();
  generation_ = refused_in_a_row_ = 0;
}

// Cohorts of suspects. With f culprits, one of f + 1 disjoint cohorts is clean.
void CulpritSearch::plan(std::size_t least) {
  Clients order(suspects_.begin(), suspects_.end());
  Random random(derive_seed(seed_, "search", partitions_++));
  random.shuffle(std::span(order));
  const std::size_t n = order.size();
  ++generation_;
  cohorts_.clear();
  if (n < 2 * least) {
    // Two disjoint cohorts are not possible: each client is left out once.
    const std::size_t out = n > least ? n - least : n;
    for (std::size_t first = 0; first < n; first += out) {
      Clients rest;
      for (std::size_t i = 0; i < n; ++i)
        if (i < first || i >= first + out) rest.push_back(order[i]);
      for (std::size_t i = first; rest.size() < std::min(least, n) && i < n; ++i) rest.push_back(order[i]);
      std::ranges::sort(rest);
      cohorts_.push_back(std::move(rest));
    }
    return;
  }
  const std::size_t parts = generation_ == 1 ? 2 : n / least;
  for (std::size_t part = 0; part < parts; ++part)
    cohorts_.push_back(slice(order, part * n / parts, (part + 1) * n / parts));
}

void CulpritSearch::split_front() {
  const Group whole = std::move(groups_.front());
  groups_.pop_front();
  Clients order = whole.members;
  Random random(derive_seed(seed_, "halves", partitions_++));
  random.shuffle(std::span(order));
  const std::size_t half = order.size() / 2;
  groups_.push_front({slice(order, half, order.size())});
  groups_.push_front({slice(order, 0, half), false, true});
}

std::optional<std::string> CulpritSearch::settle() {
  while (!groups_.empty() && groups_.front().members.empty()) groups_.pop_front();
  std::optional<std::string> culprit;
  if (!groups_.empty() && groups_.front().is_guilty) {
    if (groups_.front().members.size() > 1) {
      split_front();
    } else {
      culprit = groups_.front().members.front();
      suspects_.erase(*culprit);
      groups_.pop_front();
    }
  }
  if (groups_.empty()) end();
  return culprit;
}

CulpritSearch::Finding CulpritSearch::on_refused(const Clients& cohort, std::size_t least) {
  ++refused_in_a_row_;
  Clients tested;
  std::ranges::copy_if(cohort, std::back_inserter(tested),
                       [&](const std::string& client) { return !clean_.contains(client); });
  const bool is_known =
      std::ranges::all_of(tested, [&](const std::string& client) { return suspects_.contains(client); });
  if (!is_active() || !is_known || tested.empty()) {
    // The first refused sum, or one that contradicts what the search has assumed.
    const bool was_active = is_active();
    suspects_.insert(cohort.begin(), cohort.end());
    clean_.clear();
    groups_.clear();
    generation_ = 0;
    plan(least);
    return {std::nullopt, was_active ? tested.empty() : suspects_.size() <= least};
  }
  if (clean_.empty()) {
    if (!cohorts_.empty()) cohorts_.pop_front();
    if (!cohorts_.empty()) return {};
    const bool in_vain = generation_ > 1 || suspects_.size() < 2 * least;
    plan(least);
    return {std::nullopt, in_vain};
  }
  // The tested clients may be a part of the front group, or others may have filled the cohort up: they are guilty now.
  for (Group& group : groups_)
    std::erase_if(group.members, [&](const std::string& client) { return has(tested, client); });
  if (!groups_.empty()) groups_.front().clears_to_next = groups_.front().is_guilty = false;
  groups_.push_front({tested, true, false});
  return {settle(), false};
}

std::optional<std::string> CulpritSearch::on_committed(const Clients& cohort) {
  if (!is_active()) return std::nullopt;
  refused_in_a_row_ = 0;
  for (const std::string& client : cohort) suspects_.erase(client);
  if (clean_.empty()) {
    cohorts_.clear();
    groups_.clear();
    groups_.push_back({Clients(suspects_.begin(), suspects_.end()), true, false});
  } else {
    for (Group& group : groups_)
      std::erase_if(group.members, [&](const std::string& client) { return has(cohort, client); });
    if (!groups_.empty() && groups_.front().members.empty() && groups_.front().clears_to_next &&
        groups_.size() > 1)
      groups_[1].is_guilty = true;
  }
  clean_.insert(cohort.begin(), cohort.end());
  if (suspects_.empty()) {
    end();
    return std::nullopt;
  }
  return settle();
}

CulpritSearch::Clients CulpritSearch::next(const Clients& candidates, std::size_t least, std::size_t most) {
  if (std::ranges::none_of(suspects_, [&](const std::string& client) { return has(candidates, client); })) {
    end();
    return {};
  }
  Clients out;
  const auto add = [&](const auto& clients, std::size_t until) {
    for (const std::string& client : clients)
      if (out.size() < until && has(candidates, client) && std::ranges::find(out, client) == out.end())
        out.push_back(client);
  };
  if (clean_.empty()) {
    if (!cohorts_.empty()) add(cohorts_.front(), most);
  } else {
    // Now and then a round is committed for certain, so that the federation gets on.
    if (refused_in_a_row_ < refused_in_a_row_max)
      for (const Group& group : groups_) {
        add(group.members, most);
        if (!out.empty()) break;
      }
    add(clean_, most);
  }
  add(suspects_, least);
  add(candidates, least);
  std::ranges::sort(out);
  return out;
}

}  // namespace hansa::server
