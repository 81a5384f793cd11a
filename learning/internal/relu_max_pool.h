// The graph rewrite that gives ReLU and 2x2 max pooling one pass (pool_kernels.h). Includes LibTorch.
#pragma once
#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace hansa::learning {

// Replaces max_pool2d(relu(x), 2) and relu(max_pool2d(x, 2)) in an inlined graph by one operation
// with equal values and gradients. Other pools, and results that are used elsewhere, stay.
// Returns how many it replaced.
std::size_t fuse_relu_max_pool(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace hansa::learning
