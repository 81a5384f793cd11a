#include "learning/data/kinds/images/orientation.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include <libexif/exif-data.h>

namespace hansa::learning::kinds {
namespace {

constexpr std::size_t exif_within = 128 * 1024;  // of the start of a file

// Of a JPEG file, or of EXIF data with its mark.
int orientation_of(std::span<const std::byte> bytes) {
  const std::unique_ptr<ExifData, void (*)(ExifData*)> data(
      ::exif_data_new_from_data(reinterpret_cast<const unsigned char*>(bytes.data()),
                                static_cast<unsigned>(bytes.size())),
      &::exif_data_unref);
  if (!data) return 1;
  const ExifEntry* entry = ::exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->components < 1 || entry->size < 2)
    return 1;
  const int value = ::exif_get_short(entry->data, ::exif_data_get_byte_order(data.get()));
  return value >= 1 && value <= 8 ? value : 1;
}

}  // namespace

int jpeg_orientation(std::span<const std::byte> file) {
  return orientation_of(file.first(std::min(file.size(), exif_within)));
}

int exif_orientation(std::span<const std::byte> block) {
  constexpr std::string_view mark("Exif\0\0",
                                  6);  // with which libexif knows such data outside of a JPEG file
  std::vector<std::byte> bytes;
  std::ranges::copy(std::as_bytes(std::span(mark)), std::back_inserter(bytes));
  std::ranges::copy(block.first(std::min(block.size(), exif_within)), std::back_inserter(bytes));
  return orientation_of(bytes);
}

Pixels turned(Pixels image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool swaps = orientation >= 5;  // rows and columns
  const bool mirrors_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirrors_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Pixels out{swaps ? image.height : image.width, swaps ? image.width : image.height, image.channels, {}};
  out.values.resize(image.values.size());
  std::uint8_t* to = out.values.data();
  for (std::size_t y = 0; y < out.height; ++y)
    for (std::size_t x = 0; x < out.width; ++x) {
      // The stored pixel that is seen at (x, y).
      std::size_t from_x = swaps ? y : x;
      std::size_t from_y = swaps ? x : y;
      if (mirrors_x) from_x = image.width - 1 - from_x;
      if (mirrors_y) from_y = image.height - 1 - from_y;
      const std::uint8_t* from = image.values.data() + (from_y * image.width + from_x) * image.channels;
      to = std::copy_n(from, image.channels, to);
    }
  return out;
}

}  // namespace hansa::learning::kinds
