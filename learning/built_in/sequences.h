// Built-in models for sequences: sensor windows, characters, tokens. Torch-free header.
#pragma once
#include "learning/built_in/recipe.h"
#include "learning/model_archive.h"

namespace hansa::learning::built_in {

[[nodiscard]] Recipe conv1d(const BuiltInSize& size);
[[nodiscard]] Recipe tcn(const BuiltInSize& size);
[[nodiscard]] Recipe lstm_char(const BuiltInSize& size);
[[nodiscard]] Recipe transformer_tiny(const BuiltInSize& size);

}  // namespace hansa::learning::built_in
