#include "common/kernels/targets.h"

#include "common/kernels/instruction_sets.h"
// Must follow instruction_sets.h.
#include <hwy/targets.h>

namespace hansa::kernels {

std::vector<std::int64_t> targets() {
  std::vector<std::int64_t> out;
  const auto supported = static_cast<std::uint64_t>(hwy::SupportedTargets() & HWY_TARGETS);
  // In Highway's bit set better targets have lower bits.
  for (std::uint64_t bit = 1; bit != 0; bit <<= 1)
    if ((supported & bit) != 0) out.push_back(static_cast<std::int64_t>(bit));
  return out;
}

const char* target_name(std::int64_t target) { return hwy::TargetName(target); }

void use_target(std::int64_t target) {
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace hansa::kernels
