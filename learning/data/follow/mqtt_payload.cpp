#include "learning/data/follow/mqtt_payload.h"

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/text.h"
#include "learning/data/internal/csv_reader.h"

namespace hansa::learning::internal {
namespace {

using nlohmann::json;

// The text of a JSON number, text, boolean or null as a field of a row.
std::string field_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
  if (value.is_null()) return "";
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// JSON has no NaN and no Infinity, and programs write them as bare words: NaN is a missing value, the others are texts, which
// no column takes.
std::string without_bare_words(std::string_view text) {
  std::string out;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_text || text[i] == '"') {
      in_text = text[i] == '"' ? !in_text : in_text;
      out += text[i];
      if (in_text && text[i] == '\\' && i + 1 < text.size()) out += text[++i];
    } else if (text.substr(i).starts_with("NaN")) {
      out += "null";
      i += 2;
    } else if (text.substr(i).starts_with("-Infinity")) {
      out += "\"-Infinity\"";
      i += 8;
    } else if (text.substr(i).starts_with("Infinity")) {
      out += "\"Infinity\"";
      i += 7;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

Result<void> split_payload(const std::string& payload, const PayloadForm& form,
                           std::vector<std::vector<std::string>>& rows) {
  std::string_view text = payload;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  text = trimmed(text);
  if (text.starts_with('{') || text.starts_with('[')) {
    json document = json::parse(text, nullptr, false);
    if (document.is_discarded()) document = json::parse(without_bare_words(text), nullptr, false);
    if (document.is_object()) document = json::array({std::move(document)});
    if (!document.is_array()) return fail(ErrorCode::data, form.location, "a message is not JSON");
    for (const json& object : document) {
      if (!object.is_object())
        return fail(ErrorCode::data, form.location, "a message holds JSON that is not an object");
      auto& row = rows.emplace_back();
      for (const std::string& name : form.names) {
        const auto found = object.find(name);
        if (found == object.end())
          return fail(ErrorCode::data, form.location, "a message has no \"" + name + "\"",
                      "add it, as null if it is missing");
        if (found->is_structured())
          return fail(ErrorCode::data, form.location,
                      "a message has an array or an object as \"" + name + "\"",
                      "send each value as a field of its own");
        row.push_back(field_of(*found));
      }
    }
    return {};
  }
  std::size_t taken = 0;
  CsvReader reader(
      [&](std::span<std::uint8_t> out) -> Result<std::size_t> {
        const std::size_t n = std::min(out.size(), text.size() - taken);
        std::copy_n(text.data() + taken, n, out.data());
        taken += n;
        return n;
      },
      form.location, form.delimiter);
  CsvRecord record;
  for (;;) {
    HANSA_TRY(const bool more, reader.next(record));
    if (!more) return {};
    rows.emplace_back(record.fields.begin(), record.fields.end());
  }
}

}  // namespace hansa::learning::internal
