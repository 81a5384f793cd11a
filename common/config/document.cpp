#include "common/config/document.h"

#include <cassert>
#include <cmath>

#include "common/config/internal/checker.h"
#include "common/config/toml_hints.h"
#include "common/files.h"

namespace hansa::config {

Result<Document> Document::read(const std::filesystem::path& file, const Schema& schema,
                                const Variables& variables, MissingFile missing) {
  const auto text = read_text_file(file, bytes_max);
  std::error_code error;
  if (!text && missing == MissingFile::is_empty && !variables.empty() &&
      std::filesystem::status(file, error).type() == std::filesystem::file_type::not_found)
    return parse("", file, schema, variables);
  if (!text)
    return fail(ErrorCode::usage, file.string(), text.error().what,
                "\"hansa new DIR\" writes an example, docs/configuration.md lists its keys");
  return parse(*text, file, schema, variables);
}

Result<void> Document::check(const Variables& variables, const Schema& schema) {
  return Checker::check_variables(schema, variables);
}

Result<Document> Document::parse(std::string_view toml, const std::filesystem::path& file,
                                 const Schema& schema, const Variables& variables) {
  const toml::parse_result parsed = toml::parse(toml);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    const std::uint32_t line = error.source().begin.line;
    auto [what, hint] = explain_mistake(toml, line, error.description());
    return fail(ErrorCode::usage, location_text(file, line, ""), std::move(what), std::move(hint));
  }
  Document out;
  out.file_ = file;
  HANSA_TRY_VOID(Checker::check(out, schema, variables, parsed.table()));
  return out;
}

std::size_t Document::count(std::string_view table) const {
  std::size_t out = 0;
  while (tables_.contains(std::string(table) + "[" + std::to_string(out) + "]")) ++out;
  return out;
}

bool Document::has_table(std::string_view table) const { return tables_.contains(table); }
bool Document::has(std::string_view key) const { return values_.contains(key); }

const Document::Value& Document::at(std::string_view key) const {
  const auto found = values_.find(key);
  assert(found != values_.end());
  return found->second;
}

const std::string& Document::text(std::string_view key) const { return std::get<std::string>(at(key).value); }

const std::vector<double>& Document::numbers(std::string_view key) const {
  return std::get<std::vector<double>>(at(key).value);
}

const std::vector<std::string>& Document::texts(std::string_view key) const {
  return std::get<std::vector<std::string>>(at(key).value);
}

std::filesystem::path Document::path(std::string_view key) const {
  const std::filesystem::path written = text(key);
  if (written.is_absolute()) return written.lexically_normal();
  return (file_.parent_path() / written).lexically_normal();
}

std::uint64_t Document::integer(std::string_view key) const {
  const std::int64_t value = std::get<std::int64_t>(at(key).value);
  assert(value >= 0);
  return static_cast<std::uint64_t>(value);
}

double Document::number(std::string_view key) const { return std::get<double>(at(key).value); }

bool Document::boolean(std::string_view key) const { return std::get<bool>(at(key).value); }

Duration Document::duration_s(std::string_view key) const { return from_seconds(number(key)); }

std::string Document::location(std::string_view key) const {
  if (const auto found = values_.find(key); found != values_.end())
    return found->second.variable.empty() ? location_text(file_, found->second.line, key)
                                          : found->second.variable;
  const auto table = tables_.find(key.substr(0, key.find('.')));
  return location_text(file_, table == tables_.end() ? 0 : table->second, key);
}

}  // namespace hansa::config
