// Which of Highway's instruction sets the kernels are not compiled for; included before anything of Highway's.
//
// They keep vectors in arrays, which those of a size that the compiler does not know (SVE, RISC-V's) do not allow. An
// arm64 processor that has SVE has NEON too.
#pragma once
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
