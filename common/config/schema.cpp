#include "common/config/schema.h"

#include <cmath>
#include <cstdio>

namespace hansa::config {
namespace {

// Whole numbers with separators (1,048,576), fractions in their shortest form.
std::string number_text(double value) {
  if (value != std::floor(value) || std::abs(value) >= 1e15) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
  }
  std::string digits = std::to_string(static_cast<long long>(std::abs(value)));
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return (value < 0 ? "-" : "") + digits;
}

std::string escape_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string kind_text(const Setting& setting) {
  switch (setting.kind) {
    case Kind::text: return "text";
    case Kind::texts: return "text or list of texts";
    case Kind::path: return "path";
    case Kind::integer: return "whole number";
    case Kind::number: return "number";
    case Kind::numbers: return "list of numbers";
    case Kind::boolean: return "true or false";
    case Kind::choice: {
      std::string out;
      for (const std::string_view choice : setting.choices) {
        if (!out.empty()) out += " or ";
        out += "`\"" + std::string(choice) + "\"`";
      }
      return out;
    }
  }
  return "";
}

std::string default_text(const Setting& setting) {
  switch (setting.presence) {
    case Presence::required: return "required";
    case Presence::optional: return "none";
    case Presence::defaulted: return "`" + std::string(setting.default_value) + "`";
  }
  return "";
}

}  // namespace

std::string range_text(const Setting& setting) {
  const Range& range = setting.range;
  const bool from = std::isfinite(range.least);
  const bool to = std::isfinite(range.most);
  std::string out;
  if (from && to && range.at_least == Bound::inclusive && range.at_most == Bound::inclusive)
    out = number_text(range.least) + (range.least == range.most ? "" : " to " + number_text(range.most));
  else if (from && to)
    out = (range.at_least == Bound::exclusive ? "above " : "at least ") + number_text(range.least) +
          (range.at_most == Bound::exclusive ? ", below " : ", to ") + number_text(range.most);
  else if (from)
    out = (range.at_least == Bound::exclusive ? "above " : "at least ") + number_text(range.least);
  else if (to) out = (range.at_most == Bound::exclusive ? "below " : "at most ") + number_text(range.most);
  if (!out.empty() && (setting.kind == Kind::text || setting.kind == Kind::texts))
    out += range.most == 1 ? " character" : " characters";
  return out;
}

std::string schema_markdown(const Schema& schema) {
  std::string out = "## " + std::string(schema.file_name) + "\n\n" + std::string(schema.meaning) + "\n";
  for (const Table& table : schema.tables) {
    const std::string name(table.name);
    out += "\n### " + (table.repeated ? "[[" + name + "]]" : "[" + name + "]") + "\n\n" +
           std::string(table.meaning);
    if (table.presence == Presence::optional) out += " The whole table may be left out.";
    out +=
        "\n\n| key | kind | range | default | meaning | example |\n| --- | --- | --- | --- | --- | --- |\n";
    for (const Setting& setting : table.settings) {
      std::string range = range_text(setting);
      if (!setting.unit.empty()) range += (range.empty() ? "" : " ") + std::string(setting.unit);
      out += "| `" + std::string(setting.key) + "` | " + kind_text(setting) + " | " + range + " | " +
             default_text(setting) + " | " + escape_cell(setting.meaning) + " | `" +
             escape_cell(setting.example) + "` |\n";
    }
  }
  return out;
}

}  // namespace hansa::config
