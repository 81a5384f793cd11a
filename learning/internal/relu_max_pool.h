// The graph rewrite that fuses ReLU and 2x2 max pooling into one operation (pool_kernels.h). Includes LibTorch.
#pragma once
#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace hansa::learning {

// Replaces max_pool2d(relu(x), 2) and relu(max_pool2d(x, 2)) in an inlined graph by one operation with equal values and
// gradients. Other pools, and pairs whose intermediate result is used elsewhere, are not changed. Returns the number of
// replacements.
std::size_t fuse_relu_max_pool(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace hansa::learning
