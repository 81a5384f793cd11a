// Which server optimiser a federation uses, with its options: [strategy] of federation.toml.
#pragma once
#include <array>
#include <string>
#include <string_view>

namespace hansa::server {

inline constexpr std::array<std::string_view, 2> server_optimizer_names{"fedavg", "fedavgm"};

struct ServerOptimizerConfig {
  std::string name = "fedavg";  // one of server_optimizer_names
  double momentum = 0.9;  // of fedavgm: at least 0, below 1
};

}  // namespace hansa::server
