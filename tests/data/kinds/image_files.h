// Images for tests, and files of them.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "learning/data/kinds/images/pixels.h"

namespace hansa::learning::testing {

// Three channels, of which each pixel is different: (37 x + 71 y + 11 c + 5 x y) modulo 256.
[[nodiscard]] kinds::Pixels pattern(std::size_t width, std::size_t height);
// One colour.
[[nodiscard]] kinds::Pixels plain(std::size_t width, std::size_t height, std::vector<std::uint8_t> color);

void write_png(const std::filesystem::path& path, const kinds::Pixels& image);
// Adds an eXIf chunk with an orientation from 1 to 8 to a PNG file, in front of its pixels or behind them.
enum class ExifPlace : std::uint8_t { before_pixels, behind_pixels };
void add_png_orientation(const std::filesystem::path& path, int orientation, ExifPlace place);
// With 16 bits for each of 4 channels, the last one being transparency.
void write_deep_png(const std::filesystem::path& path, std::size_t side, std::vector<std::uint16_t> color);
// Of quality 95. With an orientation from 1 to 8, it has an EXIF header that says so.
void write_jpeg(const std::filesystem::path& path, const kinds::Pixels& image, int orientation = 0);
void write_cmyk_jpeg(const std::filesystem::path& path, std::size_t side, std::vector<std::uint8_t> cmyk);

[[nodiscard]] std::string bytes_of_file(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, const std::string& bytes);

}  // namespace hansa::learning::testing
