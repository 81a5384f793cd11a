// Resampling, with the results of Pillow's BILINEAR filter, which PyTorch's transforms use for files.
#pragma once
#include <cstddef>

#include "learning/data/kinds/images/pixels.h"

namespace hansa::learning::kinds {

// A part of an image, in pixels; the sides of pixels are at whole numbers.
struct Box {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
};

// What resampling makes of the box, and which part of that is wanted.
struct Target {
  std::size_t width = 0;  // to which the box is resampled
  std::size_t height = 0;
  std::size_t left = 0;  // of the part
  std::size_t top = 0;
  std::size_t size = 0;  // its width and height
};

// The triangle filter, as wide as the pixels of the smaller image, so that no pixel is left out when an image is made smaller.
[[nodiscard]] Pixels resample(const Pixels& image, const Box& box, const Target& target);

// As torchvision's Resize(size) and CenterCrop(size): the shorter side becomes `size`, and the centre is taken.
[[nodiscard]] Pixels resize_and_crop(const Pixels& image, std::size_t size);

}  // namespace hansa::learning::kinds
