// Opens data of the kinds in learning/data/kinds.
#pragma once
#include <memory>

#include <gtest/gtest.h>

#include "learning/data/kinds/kinds.h"

namespace hansa::learning::testing {

[[nodiscard]] inline Result<std::unique_ptr<DataSource>> open_kind(const DataConfig& config) {
  auto opened = open_optional_kind(config);
  if (!opened) return fail(ErrorCode::internal, "", "is none of these kinds");
  return *std::move(opened);
}

// The error of opening. It must be one line that names a file or key and has a hint.
[[nodiscard]] inline Error refusal_of(const DataConfig& config) {
  const auto source = open_kind(config);
  if (source) return {ErrorCode::internal, "", "was opened", ""};
  EXPECT_FALSE(source.error().location.empty());
  EXPECT_FALSE(source.error().hint.empty());
  EXPECT_EQ(source.error().text().find('\n'), std::string::npos) << source.error().text();
  return source.error();
}

}  // namespace hansa::learning::testing
