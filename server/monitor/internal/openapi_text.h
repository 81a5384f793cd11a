// openapi.json as a part of the program.
#pragma once
#include <string_view>

namespace hansa::server::internal {

extern const std::string_view openapi_text;

}  // namespace hansa::server::internal
