// Splits one labelled data set among clients, for experiments: every example goes to exactly one client.
//
// Dirichlet: the label-distribution skew of Li, Diao, Chen, He, "Federated Learning on Non-IID Data Silos:
// An Experimental Study" (NIID-Bench, ICDE 2022), section 4.1: for each label, the clients' shares are
// drawn from Dir(alpha); clients that have their even share of the examples already get no more.
// Seeded: the same labels and plan give the same shards on every machine.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "learning/data/idx_file.h"

namespace hansa::tools {

enum class PartitionKind : std::uint8_t {
  iid,  // shuffled and dealt: sizes differ by one at most
  dirichlet,  // alpha: the smaller, the more a label lies with few clients
  labels_per_client,  // each client has exactly so many different labels
};

struct PartitionPlan {
  PartitionKind kind = PartitionKind::iid;
  std::uint32_t clients = 10;  // 1 to 100,000
  double alpha = 0.5;  // dirichlet: above 0
  std::uint32_t labels_per_client = 2;  // 1 to the number of labels
  std::uint32_t examples_min = 10;  // dirichlet: drawn anew until each client has so many
  std::uint64_t seed = 1;
};

// shards[c]: the examples of client c, in a shuffled order.
using Shards = std::vector<std::vector<std::uint32_t>>;

// Fails (usage), naming the option, if the plan does not fit the labels.
[[nodiscard]] Result<Shards> partition(std::span<const std::uint8_t> labels, const PartitionPlan& plan);

// counts[c][l]: examples of label l at client c. Labels run from 0 to the largest.
[[nodiscard]] std::vector<std::vector<std::uint64_t>> count_labels(std::span<const std::uint8_t> labels,
                                                                   const Shards& shards);

// "client-03" for index 2; as many digits as the number of clients needs, at least two.
[[nodiscard]] std::string client_name(std::uint32_t index, std::uint32_t clients);

// Writes out/NAME/images.idx and out/NAME/labels.idx for each client.
[[nodiscard]] Result<void> write_shards(const learning::IdxPair& data, const Shards& shards,
                                        const std::filesystem::path& out);

}  // namespace hansa::tools
