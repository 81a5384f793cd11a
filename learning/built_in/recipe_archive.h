// Makes the archive of a recipe. Torch-free header.
#pragma once
#include <cstdint>
#include <string>

#include "learning/built_in/recipe.h"

namespace hansa::learning::built_in {

// The bytes of the archive. `name` is part of the seed. Throws LibTorch's exceptions.
[[nodiscard]] std::string make_archive(const std::string& name, const Recipe& recipe, std::uint64_t seed);

}  // namespace hansa::learning::built_in
