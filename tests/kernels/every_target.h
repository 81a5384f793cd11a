// Runs a check once with each instruction set of this processor.
#pragma once
#include <vector>

#include <gtest/gtest.h>

#include "common/kernels/targets.h"
#include "common/random.h"

namespace hansa::kernels {

inline std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> out(count);
  for (float& value : out) value = static_cast<float>(random.normal());
  return out;
}

template <class Check>
void with_every_target(const Check& check) {
  for (const auto target : targets()) {
    SCOPED_TRACE(target_name(target));
    use_target(target);
    check();
    if (::testing::Test::HasFatalFailure()) break;
  }
  use_target(0);
}

}  // namespace hansa::kernels
