// The decoders of the formats. The result has three channels.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "common/error.h"
#include "learning/data/kinds/images/pixels.h"

namespace hansa::learning::kinds {

[[nodiscard]] Result<Pixels> decode_jpeg(std::span<const std::byte> file, std::size_t side_min,
                                         const std::string& location);
[[nodiscard]] Result<Pixels> decode_png(std::span<const std::byte> file, const std::string& location);

[[nodiscard]] tl::unexpected<Error> damaged_image(const std::string& location, const std::string& what);
// Fails unless an image may have this size.
[[nodiscard]] Result<void> check_size(std::uint64_t width, std::uint64_t height, const std::string& location);

}  // namespace hansa::learning::kinds
