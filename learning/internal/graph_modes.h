// What a method's graph says about the mode of layers, training or evaluation, before it runs. Includes LibTorch. The graphs
// are inlined.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

namespace hansa::learning {

// Whether the code assigns an attribute `training`, or may do so in a call that was not inlined.
[[nodiscard]] bool assigns_modes(const torch::jit::Graph& graph);

// The modes and conditions of a graph whose value is the same in every run.
class KnownModes {
 public:
  KnownModes() = default;
  // evaluated: the paths of parts ("backbone.bn1") whose attribute `training` is false in every run.
  explicit KnownModes(std::set<std::string> evaluated) : evaluated_(std::move(evaluated)) {}

  // Leaves out the branches that no run takes.
  void for_each_node_that_may_run(const torch::jit::Graph& graph,
                                  const std::function<void(const torch::jit::Node&)>& visit) const;
  // Whether the node is batch normalisation that is in evaluation mode in every run: it reads its statistics and does not
  // change them. False if it is not known.
  [[nodiscard]] bool keeps_statistics(const torch::jit::Node& node, const torch::jit::Graph& graph) const;

 private:
  [[nodiscard]] std::optional<bool> value_of(const torch::jit::Value* value,
                                             const torch::jit::Graph& graph) const;
  void visit_block(const torch::jit::Block& block, const torch::jit::Graph& graph,
                   const std::function<void(const torch::jit::Node&)>& visit) const;

  std::set<std::string> evaluated_;
};

// A layer whose mode is a constant of the code: model.train() and model.eval() do not change it. Tracing does that.
struct FixedMode {
  enum class Effect : std::uint8_t {
    drops_never,  // dropout in evaluation mode
    uses_stored_statistics,  // batch normalisation in evaluation mode
    drops_always,
    uses_batch_statistics
  };
  Effect effect = Effect::drops_never;
  std::string layer;  // its path in the model, "encoder.dropout"; empty: the method's own code
  friend bool operator==(const FixedMode&, const FixedMode&) = default;
};
// In the order of the graph, each layer and effect once; the first 1,024.
[[nodiscard]] std::vector<FixedMode> fixed_modes(const torch::jit::Graph& graph);

}  // namespace hansa::learning
