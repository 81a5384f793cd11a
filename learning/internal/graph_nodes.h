// What single nodes of a method's graph are, for graph_facts.h and graph_modes.h. Includes LibTorch. The graphs are inlined.
#pragma once
#include <functional>
#include <string>

#include <torch/csrc/jit/ir/ir.h>

namespace hansa::learning {

// Also those of inner blocks: of conditions and loops.
void for_each_node(const torch::jit::Block& block, const std::function<void(const torch::jit::Node&)>& visit);

// "bn1.running_mean". Empty if the value is not an attribute of the model.
[[nodiscard]] std::string attribute_path(const torch::jit::Value* value, const torch::jit::Graph& graph);

// The path of the part of the model whose code the node was before it was inlined: "encoder.dropout". Empty: the method's own.
[[nodiscard]] std::string layer_path(const torch::jit::Node& node);

// A call that was not inlined: what it does is not in the graph.
[[nodiscard]] bool is_call(const torch::jit::Node& node);

// Whether the node draws random numbers.
[[nodiscard]] bool draws(const torch::jit::Node& node);

}  // namespace hansa::learning
