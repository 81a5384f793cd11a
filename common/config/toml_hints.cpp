#include "common/config/toml_hints.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace hansa::config {
namespace {

std::string_view line_of(std::string_view file, std::uint32_t number) {
  for (; number > 1; --number) {
    const auto end = file.find('\n');
    if (end == std::string_view::npos) return {};
    file.remove_prefix(end + 1);
  }
  return file.substr(0, file.find('\n'));
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(
      parts, [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

bool equals_in_any_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == static_cast<unsigned char>(b);
  });
}

constexpr std::string_view save_as_utf8 = "save the file as UTF-8; editors call it an encoding";

}  // namespace

TomlMistake explain_mistake(std::string_view file, std::uint32_t line, std::string_view description) {
  if (file.starts_with("\xff\xfe") || file.starts_with("\xfe\xff") ||
      file.substr(0, 64).find('\0') != std::string_view::npos)
    return {"is UTF-16", std::string(save_as_utf8)};
  if (description.find("utf-8") != std::string_view::npos)
    return {"has a character that is not UTF-8", std::string(save_as_utf8)};

  const std::string_view written = line_of(file, line);
  if (contains_any(written, {"\u201c", "\u201d", "\u201e", "\u2018", "\u2019"}))
    return {"has typographic quotes", "write straight ones: \""};
  if (description.find("redefine") != std::string_view::npos && trimmed(written).starts_with('['))
    return {std::string(trimmed(written)) + " is in the file twice", "put its keys below the first one"};

  const auto equals = written.find('=');
  const std::string_view key = trimmed(written.substr(0, equals));
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : trimmed(written.substr(equals + 1));
  if (value.starts_with('"') && value.find('\\') != std::string_view::npos)
    return {"has a backslash in double quotes", "write single quotes around it, or / in place of \\"};
  for (const std::string_view word : {"true", "false"})
    if (equals_in_any_case(value.substr(0, value.find_first_of(" \t#")), word))
      return {std::string(key) + " is neither true nor false",
              "write " + std::string(word) + ", in lower case"};
  const bool could_be_a_number =
      !value.empty() && (std::isdigit(static_cast<unsigned char>(value.front())) != 0 ||
                         value.front() == '-' || value.front() == '+');
  if (!key.empty() && !value.empty() && !could_be_a_number &&
      std::string_view("\"'[{").find(value.front()) == std::string_view::npos)
    return {std::string(key) + " has a text without quotes", "write " + std::string(key) + " = \"...\""};
  return {std::string(description), "see https://toml.io for how TOML is written"};
}

std::string_view path_hint(std::string_view path) {
  if (path == "~" || path.starts_with("~/"))
    return "\"~\" stands for a home folder in a shell only: write the whole path";
  if (path.starts_with('$') || path.starts_with('%'))
    return "variables are not replaced in this file: write the whole path";
  return {};
}

}  // namespace hansa::config
