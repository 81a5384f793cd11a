// Which of the available clients take part in a round, with the options of each policy: [strategy] of federation.toml.
#pragma once
#include <array>
#include <string>
#include <string_view>

namespace hansa::server {

inline constexpr std::array<std::string_view, 5> cohort_policy_names{"uniform", "by_examples", "new_data",
                                                                     "power_of_choice", "oort"};

struct SelectionConfig {
  std::string name = "uniform";  // one of cohort_policy_names
  // Each policy reads those of its options; federation.toml has their defaults for each.
  double candidates = 2;  // of power_of_choice: candidates for each place in the cohort, at least 1
  double exploration = 0.9;  // of oort: part of the first cohort that was never selected: 0 to 1
  double exploration_decay = 0.98;  // of oort: factor a round
  double exploration_min = 0.3;  // of oort
  double round_penalty = 2;  // of oort: exponent for clients that are slower than the preferred time
  double preferred_percentile = 0.3;  // of oort: of the clients' times
  friend bool operator==(const SelectionConfig&, const SelectionConfig&) = default;
};

// Whether the policy reads the loss of single clients, which a secure sum hides.
[[nodiscard]] inline bool reads_losses(const SelectionConfig& config) {
  return config.name == "power_of_choice" || config.name == "oort";
}

}  // namespace hansa::server
