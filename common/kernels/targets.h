// The instruction sets for which the kernels are compiled, so that tests can run each of them.
//
// A kernel uses the best instruction set of the processor, chosen at run time. Every one gives the same bits as the
// scalar reference (the function with the suffix _reference): IEEE arithmetic, rounding to nearest even (the default
// mode of a process), no contraction, no reordering.
#pragma once
#include <cstdint>
#include <vector>

namespace hansa::kernels {

// The instruction sets that this processor supports, the best one first.
[[nodiscard]] std::vector<std::int64_t> targets();
[[nodiscard]] const char* target_name(std::int64_t target);
// Makes all kernels of this process use the target; 0 selects the best one again. For tests and benchmarks; no other
// thread may run a kernel during the call.
void use_target(std::int64_t target);

}  // namespace hansa::kernels
