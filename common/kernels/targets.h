// The instruction sets that the kernels are compiled for, to test each.
//
// A kernel picks the best one of this processor at run time. All give the same bits as the scalar twin beside them: IEEE
// arithmetic, rounding to nearest even (the mode every process starts with), no contraction, no reordering.
#pragma once
#include <cstdint>
#include <vector>

namespace hansa::kernels {

// Of this processor, the best one first.
[[nodiscard]] std::vector<std::int64_t> targets();
[[nodiscard]] const char* target_name(std::int64_t target);
// All kernels of this process; 0: the best again. For tests and benches, while no other thread runs a kernel.
void use_target(std::int64_t target);

}  // namespace hansa::kernels
