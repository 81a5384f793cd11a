// Built-in models for rows of numbers. Torch-free header.
#pragma once
#include "learning/built_in/recipe.h"
#include "learning/model_archive.h"

namespace hansa::learning::built_in {

[[nodiscard]] Recipe logistic(const BuiltInSize& size);
[[nodiscard]] Recipe mlp(const BuiltInSize& size);
// Has no classes: it learns to reproduce its input, and the error shows what is unusual.
[[nodiscard]] Recipe autoencoder(const BuiltInSize& size);

}  // namespace hansa::learning::built_in
