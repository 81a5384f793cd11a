// Runs a check with each instruction set of this processor in turn.
#pragma once
#include <gtest/gtest.h>

#include "common/kernels/targets.h"

namespace hansa::kernels {

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
