// [strategy.SERVER_OPTIMIZER]: the options of each server optimiser.
#pragma once
#include <array>
#include <string_view>

#include "common/config/schema.h"
#include "server/config/internal/number_setting.h"

namespace hansa::server::internal {

inline constexpr config::Range a_rate{.least = 0, .most = 1'000, .at_least = config::Bound::exclusive};
inline constexpr config::Range a_decay{.least = 0, .most = 1, .at_most = config::Bound::exclusive};

consteval config::Setting adaptive_rate() {
  return number_setting("learning_rate", "0.01",
                        "Largest change of a value in a round, about. Try 0.001, 0.01 and 0.1.", a_rate,
                        "0.03");
}
consteval config::Setting adaptive_beta1(std::string_view value) {
  return number_setting("beta1", value,
                        "Part of the mean of earlier rounds that stays in the step (first moment).", a_decay,
                        "0.9");
}
consteval config::Setting adaptive_beta2() {
  return number_setting("beta2", "0.99",
                        "Part of the squares of earlier rounds that stays in the second moment.", a_decay,
                        "0.99");
}
consteval config::Setting adaptive_tau() {
  return number_setting(
      "tau", "0.001",
      "Adaptivity: values whose means are far below it move in proportion to their mean. The second "
      "moment begins at its square.",
      {.least = 0, .most = 1'000'000, .at_least = config::Bound::exclusive}, "0.001");
}

inline constexpr std::array fedavg_settings{
    number_setting("learning_rate", "1.0", "Factor of the aggregated update.", a_rate, "0.5")};
inline constexpr std::array fedavgm_settings{
    number_setting("learning_rate", "1.0", "Factor of the step with momentum.", a_rate, "0.5"),
    number_setting("momentum", "0.9",
                   "Fraction of the previous round's change of the model that is added again.", a_decay,
                   "0.5")};
inline constexpr std::array fedadagrad_settings{adaptive_rate(), adaptive_beta1("0.0"), adaptive_tau()};
inline constexpr std::array fedadam_settings{adaptive_rate(), adaptive_beta1("0.9"), adaptive_beta2(),
                                             adaptive_tau()};
inline constexpr std::array fedyogi_settings{adaptive_rate(), adaptive_beta1("0.9"), adaptive_beta2(),
                                             adaptive_tau()};
inline constexpr std::array fedlion_settings{
    number_setting("learning_rate", "0.001", "The change of each value in a round.", a_rate, "0.001"),
    number_setting("beta1", "0.9", "Part of the momentum in the step's direction.", a_decay, "0.9"),
    number_setting("beta2", "0.99", "Part of the momentum that stays for the next round.", a_decay, "0.99"),
    number_setting("weight_decay", "0.0", "Part of each value that is taken away in a round.",
                   {.least = 0, .most = 1}, "0.01")};

}  // namespace hansa::server::internal
