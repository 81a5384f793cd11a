// Which of the available clients take part in a round: a file for each policy. Pure: the same candidates, round and seed
// give the same cohort. So a restarted aggregator selects the same clients as long as the policy does not read their
// history, which is not kept over a restart. Thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/identifiers.h"
#include "server/selection/selection_config.h"

namespace hansa::server {

// The facts about a client that could take part. History counts from the start of this process.
struct Candidate {
  std::string_view name;
  std::uint64_t examples = 0;  // available now, at least 1
  std::uint64_t new_examples = 0;  // those on which no counted update was trained
  std::uint32_t rounds_counted = 0;
  std::uint32_t rounds_lost = 0;  // selected and not counted, for whatever reason
  RoundId last_selected;  // 0: never
  double train_seconds = 0;  // of its last counted update, as the client reported; 0: not known
  double round_seconds = 0;  // of its last counted update, from the task to the last byte; 0: not known
  std::optional<double> loss = {};  // the mean training loss of its last counted update; empty: not known
};

class CohortPolicy {
 public:
  virtual ~CohortPolicy() = default;
  // Indices of `size` candidates, ascending. candidates are sorted by name; 1 <= size <= candidates.size().
  // seed: derived from the federation's seed and the round.
  [[nodiscard]] virtual std::vector<std::size_t> select(std::span<const Candidate> candidates,
                                                        std::size_t size, RoundId round,
                                                        std::uint64_t seed) const = 0;
};

// Fails (usage) on an unknown name.
[[nodiscard]] Result<std::unique_ptr<CohortPolicy>> make_cohort_policy(const SelectionConfig& config);

}  // namespace hansa::server
