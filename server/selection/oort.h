// Oort: Lai et al., "Oort: Efficient Federated Learning via Guided Participant Selection" (OSDI 2021), algorithm 1. A part
// of the cohort explores clients that were never counted; the rest is drawn by
// utility
//
//   U = clipped(examples * loss) scaled to 0..1 + sqrt(0.1 * ln(round) / last round of the client)
//   U *= (T / t)^round_penalty for a client whose last round took t > T
//
// T is a percentile of the clients' times. The paper's utility is |B| * sqrt(mean of the squared losses of B); clients
// report the mean loss only, so that this takes its place ("Oort-like").
#pragma once
#include "server/selection/cohort_policy.h"
#include "server/selection/selection_config.h"

namespace hansa::server {

class Oort final : public CohortPolicy {
 public:
  explicit Oort(const SelectionConfig& options) : options_(options) {}
  [[nodiscard]] std::vector<std::size_t> select(std::span<const Candidate> candidates, std::size_t size,
                                                RoundId round, std::uint64_t seed) const override;
  // The utility of each candidate that has reported a loss; 0 for the others.
  [[nodiscard]] std::vector<double> utilities(std::span<const Candidate> candidates, RoundId round) const;
  // How many of a cohort of this size are clients that were never counted, if there are as many.
  [[nodiscard]] std::size_t explorers(std::size_t size, RoundId round) const;

 private:
  SelectionConfig options_;
};

}  // namespace hansa::server
