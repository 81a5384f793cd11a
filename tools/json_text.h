// The text of JSON that a command prints. Names in it may come from a model's archive or from a device: all but ASCII is
// escaped, because a terminal may obey what is not, and bytes that are not UTF-8 are replaced.
#pragma once
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace hansa::tools {

[[nodiscard]] std::string json_text(const nlohmann::json& document);

}  // namespace hansa::tools
