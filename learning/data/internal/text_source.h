// Kind "text": characters of a text file as numbers; the target is the character that follows. Inputs have
// the shape {window}.
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

// The alphabet, in order: newline, then the printable ASCII characters from space to tilde. What is outside it is
// read as a space; a tab too. 96 classes.
inline constexpr std::int64_t text_class_count = 96;

[[nodiscard]] Result<std::unique_ptr<DataSource>> open_text_source(const DataConfig& config);

}  // namespace hansa::learning::internal
