// The folder that `hansa new` creates, ready to run: commented configuration, keys, a model, and for an example the
// clients' data.
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
  std::filesystem::path dataset = "/usr/share/datasets/fashion-mnist";  // data set of the example
  std::uint32_t clients = 10;
  double alpha = 0.5;  // of the example's Dirichlet partition
  std::uint32_t rounds = 20;
  std::uint64_t seed = 1;
  std::string bind = "tcp://127.0.0.1:7470";
  std::string address;  // the address that clients connect to; empty: bind, as seen from this machine
  std::uint32_t clients_min = 0;  // clients that must be connected before a round starts; 0: four fifths
};

// Creates everything or nothing: the files are written under a temporary name next to `folder`, which is then renamed.
[[nodiscard]] Result<void> scaffold(const ScaffoldPlan& plan);

}  // namespace hansa::tools
