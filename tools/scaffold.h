// The folder that `hansa new` makes: configuration with comments, keys, a model, and for an example
// the clients' data; ready to run.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "common/error.h"

namespace hansa::tools {

enum class Example : std::uint8_t { none, fashion_mnist };

struct ScaffoldPlan {
  std::filesystem::path folder;  // must not exist, or be empty
  Example example = Example::none;
  std::filesystem::path dataset = "/usr/share/datasets/fashion-mnist";  // of the example
  std::uint32_t clients = 10;
  double alpha = 0.5;  // of the example's Dirichlet partition
  std::uint32_t rounds = 20;
  std::uint64_t seed = 1;
  std::string bind = "tcp://127.0.0.1:7470";
  std::string address;  // what the clients call; empty: bind, as seen from this machine
  std::uint32_t clients_min = 0;  // connected before a round starts; 0: four fifths
};

// All or nothing: made under a temporary name beside folder and renamed.
[[nodiscard]] Result<void> scaffold(const ScaffoldPlan& plan);

}  // namespace hansa::tools
