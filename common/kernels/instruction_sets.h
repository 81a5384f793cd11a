// The instruction sets of Highway for which the kernels are not compiled. Include it before any header of Highway.
//
// The kernels keep vectors in arrays. Vectors whose size is unknown at compile time (SVE, RISC-V) do not allow that. An
// arm64 processor with SVE also has NEON.
#pragma once
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
