// What to write instead, for the mistakes in TOML that people make who write a configuration by hand.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace hansa::config {

struct TomlMistake {
  std::string what;
  std::string hint;
};

// file: its whole text. line: counted from 1, where the parser stopped. description: what it says about it.
[[nodiscard]] TomlMistake explain_mistake(std::string_view file, std::uint32_t line,
                                          std::string_view description);

// Why a path cannot be what its writer means; empty: it can.
[[nodiscard]] std::string_view path_hint(std::string_view path);

}  // namespace hansa::config
