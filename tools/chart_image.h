// A chart as a PNG image, by librsvg. A build without librsvg has a function that fails.
#pragma once
#include <string>

#include "common/error.h"

namespace hansa::tools {

// The bytes of a PNG file, twice as large as the SVG says, for screens with small pixels. Fails (usage), and names the
// package, if this program was built without librsvg; (internal) if the SVG cannot be drawn.
[[nodiscard]] Result<std::string> png_of(const std::string& svg);

}  // namespace hansa::tools
