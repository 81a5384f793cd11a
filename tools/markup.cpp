#include "tools/markup.h"

#include <algorithm>

#include "common/text.h"

namespace hansa::tools {

std::string escaped(std::string_view text) {
  std::string out;
  const std::string shown = printable(text);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    // U+FFFE and U+FFFF are UTF-8, and no characters of XML.
    if (shown.compare(i, 2, "\xef\xbf") == 0 && i + 2 < shown.size() &&
        static_cast<unsigned char>(shown[i + 2]) >= 0xbe) {
      out += '?';
      i += 2;
      continue;
    }
    switch (shown[i]) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += shown[i];
    }
  }
  return out;
}

std::string escaped_lines(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\n\t", at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out += escaped(line);
    if (end < text.size()) out += text[end];
    at = end + 1;
  }
  return out;
}

}  // namespace hansa::tools
