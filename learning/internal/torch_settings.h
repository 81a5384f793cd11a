// LibTorch's settings while the calling thread works on a model. Includes LibTorch.
#pragma once
#include <torch/csrc/jit/runtime/graph_executor.h>

namespace hansa::learning {

// Sets the intra-op threads, also those of OpenBLAS, which LibTorch does not tell (process wide; the
// last caller's number stands), and sees to sound convolutions. While it lives, the thread runs
// TorchScript without the optimising executor: its profiling and re-compilation cost small models more
// than its fusions give back, and where LibTorch comes with LLVM they take minutes.
class TorchSettings {
 public:
  explicit TorchSettings(int threads);

 private:
  torch::jit::GraphOptimizerEnabledGuard executor_{false};
};

}  // namespace hansa::learning
