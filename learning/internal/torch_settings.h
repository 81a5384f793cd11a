// Settings of LibTorch while the calling thread works on a model. Includes LibTorch.
#pragma once
#include <torch/csrc/jit/runtime/graph_executor.h>

namespace hansa::learning {

// Sets the number of intra-op threads, also for OpenBLAS, which LibTorch does not configure (for the whole process; the
// last call wins), and calls distrust_wrong_convolutions(). During the object's lifetime the thread runs TorchScript
// without the optimising executor: its profiling and recompilation cost small models more than its fusions save, and
// take minutes in a LibTorch that was built with LLVM.
class TorchSettings {
 public:
  explicit TorchSettings(int threads);

 private:
  torch::jit::GraphOptimizerEnabledGuard executor_{false};
};

}  // namespace hansa::learning
