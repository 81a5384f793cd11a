#include "tools/run_settings.h"

#include <fmt/format.h>

#include "common/config/document.h"
#include "server/config/federation_schema.h"

namespace hansa::tools {
namespace {

std::optional<config::Document> read(const std::vector<server::Run::Configuration>& versions) {
  if (versions.empty()) return std::nullopt;
  auto document =
      config::Document::parse(versions.back().text, "federation.toml", server::federation_schema());
  if (!document) return std::nullopt;
  return std::move(*document);
}

std::string joined(const auto& values) {
  std::string out;
  for (const auto& value : values) out += fmt::format("{}{}", out.empty() ? "" : ", ", value);
  return out;
}

std::string value_text(const config::Document& document, const config::Setting& setting,
                       const std::string& key) {
  switch (setting.kind) {
    case config::Kind::text:
    case config::Kind::choice:
    case config::Kind::path: return document.text(key);
    case config::Kind::texts: return joined(document.texts(key));
    case config::Kind::integer: return fmt::format("{}", document.integer(key));
    case config::Kind::number: return fmt::format("{}", document.number(key));
    case config::Kind::numbers: return joined(document.numbers(key));
    case config::Kind::boolean: return document.boolean(key) ? "true" : "false";
  }
  return "";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> settings_of(const server::RunView& view) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto document = read(view.configurations);
  if (!document) return out;
  const auto add = [&](const std::string& table, const config::Setting& setting) {
    const std::string key = fmt::format("{}.{}", table, setting.key);
    if (document->has(key)) out.emplace_back(key, value_text(*document, setting, key));
  };
  for (const config::Table& table : server::federation_schema().tables) {
    if (!table.repeated) {
      for (const config::Setting& setting : table.settings) add(std::string(table.name), setting);
      continue;
    }
    for (std::size_t i = 0; i < document->count(table.name); ++i)
      for (const config::Setting& setting : table.settings)
        add(fmt::format("{}[{}]", table.name, i), setting);
  }
  return out;
}

std::optional<std::uint32_t> rounds_of(const std::vector<server::Run::Configuration>& versions) {
  const auto document = read(versions);
  if (!document || !document->has("federation.rounds")) return std::nullopt;
  return static_cast<std::uint32_t>(document->integer("federation.rounds"));
}

}  // namespace hansa::tools
