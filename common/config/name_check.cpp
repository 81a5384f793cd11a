#include "common/config/name_check.h"

#include <algorithm>
#include <string>

namespace hansa::config {

Result<void> check_name(std::string_view name, std::string_view location) {
  constexpr std::size_t characters_max = 64;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (!name.empty() && name.size() <= characters_max && name.front() != '.' && name.front() != '-' &&
      std::ranges::all_of(name, allowed))
    return {};
  return fail(ErrorCode::usage, std::string(location), "is not a valid name",
              "use 1 to 64 letters, digits, '-', '_' and '.'; do not start with '.' or '-'");
}

}  // namespace hansa::config
