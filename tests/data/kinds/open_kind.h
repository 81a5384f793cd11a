// Opens data of the kinds of learning/data/kinds as a client does.
#pragma once
#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "learning/data/kinds/kinds.h"

namespace hansa::learning::testing {

[[nodiscard]] inline Result<std::unique_ptr<DataSource>> try_open_kind(const DataConfig& config) {
  auto opened = open_optional_kind(config);
  if (!opened) return fail(ErrorCode::internal, "", "is none of these kinds");
  return *std::move(opened);
}
[[nodiscard]] inline std::unique_ptr<DataSource> open_kind(const DataConfig& config) {
  auto source = open_optional_kind(config).value();
  if (!source) throw std::runtime_error(source.error().text());
  return *std::move(source);
}

// An error as in a log, "FILE:LINE...", without the folder.
[[nodiscard]] inline std::string text_below(const std::filesystem::path& folder, const Error& error) {
  EXPECT_FALSE(error.hint.empty()) << error.text();
  std::string text = error.text();
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  const std::string start = folder.string() + "/";
  for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start))
    text.erase(at, start.size());
  return text;
}

// Why data is refused; "was opened" if it is not.
[[nodiscard]] inline std::string refusal_of(const DataConfig& config, const std::filesystem::path& folder) {
  const auto source = open_optional_kind(config).value();
  return source ? "was opened" : text_below(folder, source.error());
}
// The error of opening. It must be one line that names a file or key and has a hint.
[[nodiscard]] inline Error refusal_of(const DataConfig& config) {
  const auto source = try_open_kind(config);
  if (source) return {ErrorCode::internal, "", "was opened", ""};
  EXPECT_FALSE(source.error().location.empty());
  EXPECT_FALSE(source.error().hint.empty());
  EXPECT_EQ(source.error().text().find('\n'), std::string::npos) << source.error().text();
  return source.error();
}
[[nodiscard]] inline Reason reason_of(const DataConfig& config) {
  return open_optional_kind(config).value().error().reason;
}

}  // namespace hansa::learning::testing
