// Checks a parsed file, and the variables, against the schema.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "common/config/document.h"

namespace hansa::config {

// "FILE:LINE: KEY". line 0, an empty key: left out.
[[nodiscard]] std::string location_text(const std::filesystem::path& file, std::uint32_t line,
                                        std::string_view key);

class Checker {
 public:
  // Keeps the values in the document. Fails (usage) with the first mistake: of the variables, or else the one that comes first
  // in the file.
  [[nodiscard]] static Result<void> check(Document& document, const Schema& schema,
                                          const Variables& variables, const toml::table& root);
  [[nodiscard]] static Result<void> check_variables(const Schema& schema, const Variables& variables);

 private:
  class Work;
};

}  // namespace hansa::config
