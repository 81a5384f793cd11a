#include "learning/data/kinds/kinds.h"

#include <gtest/gtest.h>

namespace hansa::learning {
namespace {

TEST(DataKinds, AnotherKindIsLeftToTheCaller) {
  DataConfig config;
  config.kind = "csv";
  EXPECT_FALSE(open_optional_kind(config));
}

}  // namespace
}  // namespace hansa::learning
