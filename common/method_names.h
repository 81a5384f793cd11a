// The names of the training methods that Hansa ships.
#pragma once
#include <array>
#include <string_view>

namespace hansa {

// In the order of built_in_methods() (methods.h).
inline constexpr std::array<std::string_view, 12> method_names{"sgd",      "adam",    "adamw",  "fedprox",
                                                               "scaffold", "fednova", "feddyn", "fedbn",
                                                               "fedper",   "fedrep",  "ditto",  "moon"};

}  // namespace hansa
