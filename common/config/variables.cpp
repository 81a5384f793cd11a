#include "common/config/variables.h"

#include <algorithm>
#include <vector>

#include "common/spelling.h"
#include "common/text.h"

namespace hansa::config {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return upper(c); });
  return out;
}

// Every name that is known, with its key.
std::map<std::string, std::string> known_names(std::initializer_list<const Schema*> schemas) {
  std::map<std::string, std::string> out;
  for (const Schema* schema : schemas)
    for (const Table& table : schema->tables) {
      if (table.repeated) continue;
      for (const Setting& setting : table.settings) {
        const std::string key = std::string(table.name) + "." + std::string(setting.key);
        out.emplace(variable_name(key), key);
      }
    }
  return out;
}

// The repeated table that the name is for; empty: none.
std::string repeated_table(std::string_view name, std::initializer_list<const Schema*> schemas) {
  for (const Schema* schema : schemas)
    for (const Table& table : schema->tables)
      if (table.repeated && name.starts_with(variable_name(table.name) + "__"))
        return std::string(table.name);
  return {};
}

std::string hint_for(const std::string& name, const std::map<std::string, std::string>& known,
                     std::initializer_list<const Schema*> schemas) {
  if (known.contains(upper(name))) return "write it in capitals: " + upper(name);
  if (const std::string table = repeated_table(name, schemas); !table.empty())
    return "[[" + table + "]] may be repeated, so that it has no variables: write it in the file";
  std::vector<std::string> names;
  for (const auto& [known_name, key] : known) names.push_back(known_name);
  if (const auto near = nearest_word(name, names)) return "did you mean " + *near + "?";
  return "HANSA__TABLE__KEY sets a key of docs/configuration.md; remove any other variable with this prefix";
}

}  // namespace

std::string variable_name(std::string_view key) {
  std::string out(Variables::prefix);
  for (const char c : key) {
    if (c == '.') out += "__";
    else out += upper(c);
  }
  return out;
}

Result<Variables> Variables::read(const char* const* environment,
                                  std::initializer_list<const Schema*> schemas) {
  const auto known = known_names(schemas);
  Variables out;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry(*environment);
    if (!entry.starts_with(prefix)) continue;
    const std::size_t equals = std::min(entry.find('='), entry.size());
    const std::string name(entry.substr(0, equals));
    const auto found = known.find(name);
    if (found == known.end())
      return fail(ErrorCode::usage, printable(name), "is for no setting", hint_for(name, known, schemas));
    const std::string_view text = entry.substr(std::min(equals + 1, entry.size()));
    if (text.size() > bytes_max)
      return fail(ErrorCode::usage, name,
                  "has " + std::to_string(text.size()) + " bytes, and at most " + std::to_string(bytes_max) +
                      " are read",
                  "write it in the file");
    if (!is_utf8(text)) return fail(ErrorCode::usage, name, "is not UTF-8", "write it in UTF-8");
    if (!out.variables_.emplace(found->second, Variable{name, std::string(text)}).second)
      return fail(ErrorCode::usage, name, "is set twice", "set it once");
  }
  return out;
}

const Variable* Variables::find(std::string_view key) const {
  const auto found = variables_.find(key);
  return found == variables_.end() ? nullptr : &found->second;
}

std::string Variables::names() const {
  std::string out;
  for (const auto& [key, variable] : variables_) out += (out.empty() ? "" : ", ") + variable.name;
  return out;
}

std::string Variables::lines() const {
  std::string out;
  for (const auto& [key, variable] : variables_) out += variable.name + "=" + variable.text + "\n";
  return out;
}

}  // namespace hansa::config
