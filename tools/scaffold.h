// The folder that `hansa new` creates, ready to run: commented configuration, keys, a model, and a folder for each
// client (site.h), in an example with its data.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/error.h"

namespace hansa::tools {

enum class Example : std::uint8_t { none, fashion_mnist };

struct ScaffoldPlan {
  std::filesystem::path folder;  // must not exist, or be empty
  Example example = Example::none;
  std::filesystem::path dataset = "/usr/share/datasets/fashion-mnist";  // data set of the example
  std::vector<std::string> clients;  // names: 1 to 10,000, each once
  double alpha = 0.5;  // of the example's Dirichlet partition
  std::uint32_t rounds = 20;
  std::uint64_t seed = 1;
  std::string bind = "tcp://127.0.0.1:7470";
  std::string address;  // the address that clients connect to; empty: bind, as seen from this machine
  std::uint32_t clients_min = 0;  // clients that must be connected before a round starts; 0: four fifths
};

// "client-01" to "client-10" for 10.
[[nodiscard]] std::vector<std::string> numbered_clients(std::uint32_t count);
// "hospital-a,hospital-b" are names, "3" is the number of clients. Fails (usage) if a name is not valid or is repeated.
[[nodiscard]] Result<std::vector<std::string>> parse_clients(const std::string& text);

// Whether the federation uses secure aggregation. It does not if a round may have too few clients for it.
[[nodiscard]] bool sums_securely(const ScaffoldPlan& plan);

// Creates everything or nothing: the files are written under a temporary name next to `folder`, which is then renamed.
[[nodiscard]] Result<void> scaffold(const ScaffoldPlan& plan);

}  // namespace hansa::tools
