// Text of others in HTML and SVG.
#pragma once
#include <string>
#include <string_view>

namespace hansa::tools {

// As the content of an element, or a value in double quotes: well-formed in HTML and in XML 1.0, whatever the bytes.
// Control characters, those that change the direction of the text and bytes that are not UTF-8 are shown escaped, as on
// a terminal (common/text.h).
[[nodiscard]] std::string escaped(std::string_view text);
// The same for a text of several lines, whose line breaks and tabs stay.
[[nodiscard]] std::string escaped_lines(std::string_view text);

}  // namespace hansa::tools
