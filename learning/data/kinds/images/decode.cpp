#include "learning/data/kinds/images/decode.h"

#include <algorithm>
#include <array>
#include <memory>

#include "learning/data/kinds/images/formats.h"
#include "learning/data/kinds/images/orientation.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::array<std::uint8_t, 3> jpeg{0xFF, 0xD8, 0xFF};
constexpr std::array<std::uint8_t, image_start_bytes> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

template <std::size_t N>
bool begins_with(std::span<const std::byte> file, const std::array<std::uint8_t, N>& bytes) {
  return file.size() >= N && std::ranges::equal(file.first(N), bytes, {},
                                                [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
}

Pixels grey_of(const Pixels& image) {
  Pixels out{image.width, image.height, 1, {}};
  out.values.reserve(image.width * image.height);
  for (std::size_t i = 0; i < image.values.size(); i += 3) {
    // The weights times 2^16, rounded.
    const std::uint32_t sum =
        image.values[i] * 19595U + image.values[i + 1] * 38470U + image.values[i + 2] * 7471U;
    out.values.push_back(static_cast<std::uint8_t>((sum + 0x8000U) >> 16U));
  }
  return out;
}

}  // namespace

Result<void> check_start(std::span<const std::byte> start, const std::string& location) {
  if (begins_with(start, jpeg) || begins_with(start, png)) return {};
  return fail(ErrorCode::data, location, start.empty() ? "is empty" : "is neither a JPEG nor a PNG file",
              "convert it, or remove it", {ReasonCode::data_damaged, {}});
}

Result<Pixels> decode_image(std::span<const std::byte> file, Color color, std::size_t side_min,
                            const std::string& location) {
  HANSA_TRY_VOID(check_start(file, location));
  Pixels out;
  if (begins_with(file, jpeg)) {
    HANSA_TRY(out, decode_jpeg(file, side_min, location));
    out = turned(std::move(out), jpeg_orientation(file));
  } else {
    HANSA_TRY(out, decode_png(file, location));
  }
  return color == Color::grey ? grey_of(out) : out;
}

tl::unexpected<Error> damaged_image(const std::string& location, const std::string& what) {
  return fail(ErrorCode::data, location, "is a damaged image: " + what, "copy it again, or remove it",
              {ReasonCode::data_damaged, {}});
}

Result<void> check_size(std::uint64_t width, std::uint64_t height, const std::string& location) {
  if (width > 0 && height > 0 && width <= pixels_max && height <= pixels_max && width * height <= pixels_max)
    return {};
  return fail(ErrorCode::data, location,
              "says that it has " + std::to_string(width) + " x " + std::to_string(height) + " pixels",
              "images may have 1 to 100,000,000 pixels", {ReasonCode::data_damaged, {}});
}

}  // namespace hansa::learning::kinds
