// Kind "text": windows of characters of a text file as numbers; the target is the next character. Inputs have the shape
// {window}.
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

// The alphabet in order: newline, then the printable ASCII characters from space to tilde, 96 classes. Every other
// character, also a tab, is read as a space.
inline constexpr std::int64_t text_class_count = 96;

[[nodiscard]] Result<std::unique_ptr<DataSource>> open_text_source(const DataConfig& config);

}  // namespace hansa::learning::internal
