// How the updates of a round become one vector, with the options of each rule: [strategy] of federation.toml.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hansa::server {

inline constexpr std::array<std::string_view, 9> aggregation_names{
    "mean",       "median",          "trimmed_mean", "krum", "multi_krum", "bulyan", "geometric_median",
    "norm_bound", "centred_clipping"};

struct AggregationConfig {
  std::string name = "mean";  // one of aggregation_names
  // Each rule reads those of its options; federation.toml has their defaults for each.
  double trim = 0.2;  // of trimmed_mean: the part of the updates on each side, above 0 and below 0.5
  std::size_t faulty = 1;  // of krum, multi_krum and bulyan: updates that may be wrong
  std::size_t chosen = 0;  // of multi_krum: updates that are averaged; 0: all but `faulty`
  double norm = 0;  // of norm_bound and centred_clipping: the largest norm; 0: a median of the round
  unsigned passes = 4;  // of geometric_median and centred_clipping: at least 1

  // Memory for the updates of a round, which every rule but "mean" keeps until the end. What does not fit is in files.
  std::uint64_t memory_bytes_max = std::uint64_t{1} << 30;
};

// Whether the rule needs all updates of a round at once.
[[nodiscard]] inline bool keeps_updates(const AggregationConfig& config) { return config.name != "mean"; }

}  // namespace hansa::server
