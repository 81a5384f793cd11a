// Decodes JPEG (libjpeg-turbo) and PNG (libpng) files.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "common/error.h"
#include "learning/data/data_config.h"
#include "learning/data/kinds/images/pixels.h"

namespace hansa::learning::kinds {

inline constexpr std::uint64_t pixels_max = 100'000'000;

// The image as people see it: turned as its EXIF orientation says. Grey is (299 R + 587 G + 114 B) / 1000, as in
// Pillow; transparency is ignored; 16-bit PNG values are scaled to 8 bits. A JPEG image whose shorter side is more than
// four times side_min is decoded at a fraction of its size, at least twice side_min, which is several times faster.
// Fails (data) if it is neither format, damaged, incomplete, or has more than pixels_max pixels.
[[nodiscard]] Result<Pixels> decode_image(std::span<const std::byte> file, Color color, std::size_t side_min,
                                          const std::string& location);

// Bytes at the start of a file that show its format.
inline constexpr std::size_t image_start_bytes = 8;
// Fails (data) unless a file that begins so may be an image.
[[nodiscard]] Result<void> check_start(std::span<const std::byte> start, const std::string& location);

}  // namespace hansa::learning::kinds
