// Splits one labelled data set among clients, for experiments: every example goes to exactly one client.
//
// Dirichlet: the label-distribution skew of Li, Diao, Chen, He, "Federated Learning on Non-IID Data Silos: An
// Experimental Study" (NIID-Bench, ICDE 2022), section 4.1. For each label, the clients' fractions are drawn from
// Dir(alpha); a client that already has 1 / clients of all examples gets no more. Random labels: the same section's skew
// by numbers of labels. Seeded: equal labels and plans give equal parts on every machine.
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
  iid,  // shuffled and dealt evenly: sizes differ by at most one
  dirichlet,  // a smaller alpha concentrates each label on fewer clients
  // Each client has exactly labels_per_client different labels.
  labels_per_client,  // every label has nearly as many clients as the others, so that sizes differ little
  random_labels,  // client i has label i modulo their number, and others at random; sizes differ much
};

struct PartitionPlan {
  PartitionKind kind = PartitionKind::iid;
  std::uint32_t clients = 10;  // 1 to 100,000
  double alpha = 0.5;  // dirichlet: above 0
  std::uint32_t labels_per_client = 2;  // the last two kinds: 1 to the number of labels
  std::uint32_t examples_min = 10;  // dirichlet: drawn again until each client has this many
  std::uint64_t seed = 1;
};

// shards[c] lists the examples of client c in shuffled order.
using Shards = std::vector<std::vector<std::uint32_t>>;

// Fails (usage), naming the option, if the plan does not fit the labels.
[[nodiscard]] Result<Shards> partition(std::span<const std::uint8_t> labels, const PartitionPlan& plan);

// counts[c][l] is the number of examples with label l at client c. Labels run from 0 to the largest.
[[nodiscard]] std::vector<std::vector<std::uint64_t>> count_labels(std::span<const std::uint8_t> labels,
                                                                   const Shards& shards);

// "client-03" for index 2. The number has as many digits as the number of clients, and at least two.
[[nodiscard]] std::string client_name(std::uint32_t index, std::uint32_t clients);

// Writes folder/images.idx and folder/labels.idx with these examples.
[[nodiscard]] Result<void> write_shard(const learning::IdxPair& data, std::span<const std::uint32_t> examples,
                                       const std::filesystem::path& folder);
// Writes out/NAME/images.idx and out/NAME/labels.idx for each client.
[[nodiscard]] Result<void> write_shards(const learning::IdxPair& data, const Shards& shards,
                                        const std::filesystem::path& out);

}  // namespace hansa::tools
