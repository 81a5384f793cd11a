// What the code of a method does, as far as its graph shows: what it writes to, and whether it draws random numbers. Includes
// LibTorch. The graphs are inlined.
#pragma once
#include <set>
#include <string>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

#include "learning/internal/graph_modes.h"

namespace hansa::learning {

// The attributes of the model, as paths ("bn1.running_mean"), to which the graph may write. If a call is left in the graph, or
// a write cannot be traced to an attribute, `all` is set.
struct WrittenAttributes {
  std::set<std::string> changed;  // in place, also through a view or a container, or as running statistics
  std::set<std::string> assigned;
  bool all = false;

  [[nodiscard]] bool may_have(const std::string& path) const {
    return all || changed.contains(path) || assigned.contains(path);
  }
};
[[nodiscard]] WrittenAttributes written_attributes(const torch::jit::Graph& graph, const KnownModes& modes);

// Whether something may write to the memory of a view's output after the view was made.
[[nodiscard]] bool is_written_later(const torch::jit::Graph& graph, const torch::jit::Node& view);

// Whether the graph draws random numbers, for dropout inside recurrent layers and attention too.
[[nodiscard]] bool draws_random_numbers(const torch::jit::Graph& graph);

// Whether a batch of one example is an error in training.
[[nodiscard]] bool normalises_batches(const torch::jit::Graph& graph, const KnownModes& modes);

// The attributes, as paths, that normalisation reads as its weight, bias and running statistics. Those that are computed from
// others are not among them.
[[nodiscard]] std::set<std::string> normalisation_attributes(const torch::jit::Graph& graph);

// The constant texts that name entries of dictionaries, in the order of the code, each once.
[[nodiscard]] std::vector<std::string> dictionary_keys(const torch::jit::Graph& graph);

}  // namespace hansa::learning
