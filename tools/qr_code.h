// A QR code for a terminal, by libqrencode.
#pragma once
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa::tools {

// Lines of half blocks (U+2580, U+2584, U+2588) with the margin that a reader needs. For a terminal with a dark background
// the light modules are drawn. Fails (usage) if the text is too long.
[[nodiscard]] Result<std::string> qr_code(std::string_view text);

}  // namespace hansa::tools
