#include "tools/json_text.h"

#include <nlohmann/json.hpp>

namespace hansa::tools {

std::string json_text(const nlohmann::json& document) {
  std::string out = document.dump(2, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace);
  // ASCII, but not printed by every terminal as it is, and not escaped by the library.
  for (std::size_t at = out.find('\x7f'); at != std::string::npos; at = out.find('\x7f', at))
    out.replace(at, 1, "\\u007f");
  return out;
}

}  // namespace hansa::tools
