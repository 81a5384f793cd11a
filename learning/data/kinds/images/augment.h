// Random changes of images that are trained on.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/random.h"
#include "learning/data/kinds/images/pixels.h"
#include "learning/data/kinds/images/resize.h"

namespace hansa::learning::kinds {

struct Augmentation {
  bool flip = false;
  bool crop = false;
  bool jitter = false;
  [[nodiscard]] bool is_none() const { return !flip && !crop && !jitter; }
};
[[nodiscard]] Augmentation augmentation_of(const std::vector<std::string>& names);

// A part of the image that is resized to size x size: with `crop` as torchvision's RandomResizedCrop with the scale 0.25 to 1 and
// the ratios 3/4 to 4/3, otherwise as resize_and_crop(). With `flip`, half of the images are mirrored.
[[nodiscard]] Pixels augmented_crop(const Pixels& image, std::size_t size, const Augmentation& with,
                                    Random& random);

// With `jitter`: brightness, contrast and, of three channels, saturation are each changed by a factor of 0.8 to 1.2, in this
// order, within 0 and 1. values: channels x size x size, 0 to 1.
void jitter_colors(std::span<float> values, std::size_t channels, Random& random);

}  // namespace hansa::learning::kinds
