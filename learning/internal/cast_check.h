// Makes the casts of an archive's code checked. TorchScript's unchecked_cast is written by PyTorch after a test such as
// isinstance(), but an archive may have it without the test, and LibTorch then takes any value for an object of any class.
// Includes LibTorch.
#pragma once
#include <torch/csrc/jit/ir/ir.h>

namespace hansa::learning {

// `cast` is a node of kind prim::unchecked_cast. Unless the cast only excludes None, or cannot fail, the code before it
// tests the value when it runs, and raises an exception if it has another type.
void check_when_it_runs(torch::jit::Node& cast);

}  // namespace hansa::learning
