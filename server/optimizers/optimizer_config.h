// Which server optimiser a federation uses, with its options: [strategy] of federation.toml.
#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hansa::server {

inline constexpr std::array<std::string_view, 6> server_optimizer_names{"fedavg",  "fedavgm", "fedadagrad",
                                                                        "fedadam", "fedyogi", "fedlion"};

struct ServerOptimizerConfig {
  std::string name = "fedavg";  // one of server_optimizer_names
  // Each optimiser reads those of its options; federation.toml has their defaults for each.
  double momentum = 0.9;  // of fedavgm: at least 0, below 1
  double learning_rate = 1;  // of the server: above 0
  double beta1 = 0.9, beta2 = 0.99;  // of the adaptive ones and of fedlion: at least 0, below 1
  double tau = 1e-3;  // of the adaptive ones: above 0
  double weight_decay = 0;  // of fedlion: at least 0

  // Elements of the model that are not trained (buffers, such as the statistics of normalisation layers), in ascending
  // order: their next value is the mean of the clients' values, whatever the optimiser.
  struct Range {
    std::size_t first = 0, count = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };
  std::vector<Range> averaged = {};
};

}  // namespace hansa::server
