// The orientation in which a camera was held (EXIF).
#pragma once
#include <cstddef>
#include <span>

#include "learning/data/kinds/images/pixels.h"

namespace hansa::learning::kinds {

// 1 to 8, as EXIF numbers them; 1, upright, also if the JPEG file does not say.
[[nodiscard]] int jpeg_orientation(std::span<const std::byte> file);
// The same of a block of EXIF data that begins with its byte order, as PNG files have it in an eXIf chunk.
[[nodiscard]] int exif_orientation(std::span<const std::byte> block);
// Turns and mirrors an image that was stored with this orientation, so that it is upright.
[[nodiscard]] Pixels turned(Pixels image, int orientation);

}  // namespace hansa::learning::kinds
