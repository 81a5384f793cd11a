// Built-in models for images. Torch-free header.
#pragma once
#include "learning/built_in/recipe.h"
#include "learning/model_archive.h"

namespace hansa::learning::built_in {

// For 1 x 28 x 28.
[[nodiscard]] Recipe cnn_small(const BuiltInSize& size);
[[nodiscard]] Recipe cnn_mcmahan(const BuiltInSize& size);
[[nodiscard]] Recipe lenet(const BuiltInSize& size);

// For images of any size from 32 x 32.
[[nodiscard]] Recipe resnet18(const BuiltInSize& size);
[[nodiscard]] Recipe mobilenet_small(const BuiltInSize& size);

// Gives scores for each pixel of an image of any size from 8 x 8.
[[nodiscard]] Recipe unet_small(const BuiltInSize& size);

}  // namespace hansa::learning::built_in
