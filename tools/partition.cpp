#include "tools/partition.h"

#include <algorithm>
#include <numeric>

#include <fmt/core.h>

#include "common/files.h"
#include "common/random.h"

namespace hansa::tools {
namespace {

// The option of `hansa data partition` that a plan with labels for each client comes from.
const char* option_of(PartitionKind kind) {
  return kind == PartitionKind::random_labels ? "--random-labels" : "--labels-per-client";
}

constexpr std::size_t label_values = 256;

// positions[l] lists the positions of label l.
using LabelPositions = std::vector<std::vector<std::uint32_t>>;

LabelPositions find_labels(std::span<const std::uint8_t> labels) {
  LabelPositions out(label_values);
  for (std::uint32_t i = 0; i < labels.size(); ++i) out[labels[i]].push_back(i);
  return out;
}

Shards deal_evenly(std::span<const std::uint8_t> labels, const PartitionPlan& plan, Random& random) {
  std::vector<std::uint32_t> order(labels.size());
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(std::span(order));
  Shards shards(plan.clients);
  for (std::size_t c = 0; c < plan.clients; ++c) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(order.size() * c / plan.clients);
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(order.size() * (c + 1) / plan.clients);
    shards[c].assign(begin, end);
  }
  return shards;
}

// Deals the examples of one label in proportion to the fractions.
void deal_by_fractions(std::span<const std::uint32_t> examples, std::span<const double> fractions,
                       Shards& shards) {
  const double total = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  double sum = 0;
  std::size_t done = 0;
  std::size_t last = 0;  // the last client with a fraction above 0 takes the remainder of rounding
  for (std::size_t c = 0; c < fractions.size(); ++c)
    if (fractions[c] > 0) last = c;
  for (std::size_t c = 0; c <= last; ++c) {
    sum += fractions[c];
    const auto cut = static_cast<std::size_t>(sum / total * static_cast<double>(examples.size()));
    const std::size_t end = c == last ? examples.size() : std::clamp(cut, done, examples.size());
    if (fractions[c] > 0) {
      shards[c].insert(shards[c].end(), examples.begin() + static_cast<std::ptrdiff_t>(done),
                       examples.begin() + static_cast<std::ptrdiff_t>(end));
      done = end;
    }
  }
}

Shards draw_dirichlet(const LabelPositions& positions, std::size_t examples, const PartitionPlan& plan,
                      Random& random) {
  Shards shards(plan.clients);
  std::vector<double> fractions(plan.clients);
  const double even = static_cast<double>(examples) / plan.clients;
  for (std::vector<std::uint32_t> of_label : positions) {
    if (of_label.empty()) continue;
    random.shuffle(std::span(of_label));
    std::vector<std::size_t> open;
    for (std::size_t c = 0; c < plan.clients; ++c) {
      // Drawn for every client, so that the sequence of random numbers does not depend on the sizes.
      fractions[c] = random.gamma(plan.alpha);
      if (static_cast<double>(shards[c].size()) < even) open.push_back(c);
      else fractions[c] = 0;
    }
    // With a tiny alpha all gamma values are zero in double precision; in the limit one client takes everything.
    if (std::ranges::all_of(fractions, [](double fraction) { return fraction <= 0; })) {
      const std::size_t one = open.empty() ? random.below(plan.clients) : open[random.below(open.size())];
      fractions[one] = 1;
    }
    deal_by_fractions(of_label, fractions, shards);
  }
  return shards;
}

Result<Shards> deal_dirichlet(std::span<const std::uint8_t> labels, const PartitionPlan& plan,
                              Random& random) {
  constexpr int draws_max = 1'000;
  if (std::uint64_t{plan.examples_min} * plan.clients > labels.size())
    return fail(
        ErrorCode::usage, "--clients",
        fmt::format("{} clients with at least {} examples each need more than the {} examples of the data",
                    plan.clients, plan.examples_min, labels.size()),
        "choose fewer clients");
  const LabelPositions positions = find_labels(labels);
  for (int draw = 0; draw < draws_max; ++draw) {
    Shards shards = draw_dirichlet(positions, labels.size(), plan, random);
    if (std::ranges::all_of(shards, [&](const auto& shard) { return shard.size() >= plan.examples_min; }))
      return shards;
  }
  return fail(
      ErrorCode::usage, "--dirichlet",
      fmt::format("in all of {} draws a client had fewer than {} examples", draws_max, plan.examples_min),
      "raise alpha, or choose fewer clients");
}

// owners[l] lists the clients that have label l.
using Owners = std::vector<std::vector<std::size_t>>;

// Each client takes the labels with the fewest owners so far, so that every label has an owner and the numbers of owners
// differ little.
Owners balanced_owners(std::vector<std::size_t> present, const PartitionPlan& plan, Random& random) {
  Owners owners(std::ranges::max(present) + 1);
  for (std::size_t c = 0; c < plan.clients; ++c) {
    random.shuffle(std::span(present));
    std::ranges::stable_sort(present, {}, [&](std::size_t l) { return owners[l].size(); });
    for (std::size_t i = 0; i < plan.labels_per_client; ++i) owners[present[i]].push_back(c);
  }
  return owners;
}

Owners random_owners(const std::vector<std::size_t>& present, const PartitionPlan& plan, Random& random) {
  Owners owners(std::ranges::max(present) + 1);
  for (std::size_t c = 0; c < plan.clients; ++c) {
    const std::size_t first = present[c % present.size()];
    std::vector<std::size_t> others = present;
    std::erase(others, first);
    random.shuffle(std::span(others));
    owners[first].push_back(c);
    for (std::size_t i = 0; i + 1 < plan.labels_per_client; ++i) owners[others[i]].push_back(c);
  }
  return owners;
}

Result<Owners> choose_owners(const LabelPositions& positions, const PartitionPlan& plan, Random& random) {
  const bool is_random = plan.kind == PartitionKind::random_labels;
  std::vector<std::size_t> present;
  for (std::size_t l = 0; l < positions.size(); ++l)
    if (!positions[l].empty()) present.push_back(l);
  if (plan.labels_per_client > present.size())
    return fail(ErrorCode::usage, option_of(plan.kind),
                fmt::format("is {}, but the data has {} labels", plan.labels_per_client, present.size()));
  if (std::uint64_t{plan.labels_per_client} * plan.clients < present.size())
    return fail(ErrorCode::usage, option_of(plan.kind),
                fmt::format("{} clients with {} labels each leave some of the {} labels without a client",
                            plan.clients, plan.labels_per_client, present.size()),
                "raise it, or choose more clients");
  Owners owners = is_random ? random_owners(present, plan, random) : balanced_owners(present, plan, random);
  for (const std::size_t l : present)
    if (owners[l].empty())
      return fail(ErrorCode::usage, option_of(plan.kind),
                  fmt::format("{} clients with {} random labels each leave label {} without a client",
                              plan.clients, plan.labels_per_client, l),
                  "choose as many clients as labels, or --labels-per-client");
  return owners;
}

Result<Shards> deal_labels(std::span<const std::uint8_t> labels, const PartitionPlan& plan, Random& random) {
  LabelPositions positions = find_labels(labels);
  HANSA_TRY(const Owners owners, choose_owners(positions, plan, random));
  Shards shards(plan.clients);
  for (std::size_t l = 0; l < owners.size(); ++l) {
    if (owners[l].empty()) continue;
    if (positions[l].size() < owners[l].size())
      return fail(ErrorCode::usage, "--clients",
                  fmt::format("label {} has {} examples, but {} clients need at least one", l,
                              positions[l].size(), owners[l].size()),
                  "choose fewer clients, or fewer labels for each");
    random.shuffle(std::span(positions[l]));
    for (std::size_t i = 0; i < positions[l].size(); ++i)
      shards[owners[l][i * owners[l].size() / positions[l].size()]].push_back(positions[l][i]);
  }
  return shards;
}

Result<Shards> deal(std::span<const std::uint8_t> labels, const PartitionPlan& plan, Random& random) {
  switch (plan.kind) {
    case PartitionKind::iid: return deal_evenly(labels, plan, random);
    case PartitionKind::dirichlet: return deal_dirichlet(labels, plan, random);
    case PartitionKind::labels_per_client:
    case PartitionKind::random_labels: return deal_labels(labels, plan, random);
  }
  return fail(ErrorCode::internal, "", "unknown kind of partition");
}

}  // namespace

Result<Shards> partition(std::span<const std::uint8_t> labels, const PartitionPlan& plan) {
  constexpr std::uint32_t clients_max = 100'000;
  if (plan.clients == 0 || plan.clients > clients_max)
    return fail(ErrorCode::usage, "--clients", "must be 1 to 100,000");
  if (plan.clients > labels.size())
    return fail(ErrorCode::usage, "--clients",
                fmt::format("is {}, but there are only {} examples", plan.clients, labels.size()));
  if (plan.kind == PartitionKind::dirichlet && !(plan.alpha > 0 && plan.alpha <= 1e6))
    return fail(ErrorCode::usage, "--dirichlet", "must be above 0 and at most 1,000,000",
                "0.5 is a common value");
  const bool has_labels =
      plan.kind == PartitionKind::labels_per_client || plan.kind == PartitionKind::random_labels;
  if (has_labels && plan.labels_per_client == 0)
    return fail(ErrorCode::usage, option_of(plan.kind), "must be at least 1");
  Random random(derive_seed(plan.seed, "partition"));
  HANSA_TRY(Shards shards, deal(labels, plan, random));
  for (auto& shard : shards) random.shuffle(std::span(shard));
  return shards;
}

std::vector<std::vector<std::uint64_t>> count_labels(std::span<const std::uint8_t> labels,
                                                     const Shards& shards) {
  const std::size_t width = labels.empty() ? 0 : std::size_t{*std::ranges::max_element(labels)} + 1;
  std::vector<std::vector<std::uint64_t>> out(shards.size(), std::vector<std::uint64_t>(width, 0));
  for (std::size_t c = 0; c < shards.size(); ++c)
    for (const std::uint32_t example : shards[c]) ++out[c][labels[example]];
  return out;
}

std::string client_name(std::uint32_t index, std::uint32_t clients) {
  const std::size_t digits = std::max<std::size_t>(2, std::to_string(clients).size());
  return fmt::format("client-{:0{}}", index + 1, digits);
}

Result<void> write_shard(const learning::IdxPair& data, std::span<const std::uint32_t> examples,
                         const std::filesystem::path& folder) {
  HANSA_TRY_VOID(make_folders(folder));
  const auto count = static_cast<std::uint32_t>(examples.size());
  learning::IdxArray images{data.images.dimensions, {}};
  learning::IdxArray labels{{count}, {}};
  images.dimensions[0] = count;
  images.values.reserve(count * data.images.example_size());
  for (const std::uint32_t example : examples) {
    const auto image = data.images.example(example);
    images.values.insert(images.values.end(), image.begin(), image.end());
    labels.values.push_back(data.labels.values[example]);
  }
  HANSA_TRY_VOID(learning::write_idx(folder / "images.idx", images));
  return learning::write_idx(folder / "labels.idx", labels);
}

Result<void> write_shards(const learning::IdxPair& data, const Shards& shards,
                          const std::filesystem::path& out) {
  const auto clients = static_cast<std::uint32_t>(shards.size());
  for (std::uint32_t c = 0; c < clients; ++c)
    HANSA_TRY_VOID(write_shard(data, shards[c], out / client_name(c, clients)));
  return {};
}

}  // namespace hansa::tools
