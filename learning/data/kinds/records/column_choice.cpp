#include "learning/data/kinds/records/column_choice.h"

#include <algorithm>
#include <set>

#include "common/spelling.h"
#include "common/text.h"
#include "learning/data/internal/label_values.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::size_t columns_max = 4096;

std::string list_of(std::span<const std::string> names) {
  constexpr std::size_t listed_max = 12;
  std::string out;
  for (const std::string& name : names.first(std::min(names.size(), listed_max)))
    out += (out.empty() ? "" : ", ") + internal::in_quotes(printable(name));
  return out + (names.size() > listed_max ? ", ..." : "");
}

Result<std::size_t> find(std::span<const std::string> names, const std::string& name, std::string_view key,
                         const std::string& location, const Reason& reason) {
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const auto near = nearest_word(name, names);
  return fail(ErrorCode::data, location,
              "has no column \"" + printable(name) + "\", which data." + std::string(key) + " names",
              near ? "did you mean \"" + printable(*near) + "\"?" : "its columns are " + list_of(names),
              reason);
}

}  // namespace

Result<ColumnChoice> choose_columns(const DataConfig& config, std::span<const std::string> names,
                                    const std::string& location) {
  if (names.size() > columns_max)
    return fail(ErrorCode::data, location,
                "has " + std::to_string(names.size()) + " columns, and at most 4096 may be there",
                "put values that belong together into one array, or select fewer columns",
                {ReasonCode::data_too_large, {}});
  std::set<std::string_view> seen;
  for (const std::string& name : names)
    if (!seen.insert(name).second)
      return fail(ErrorCode::data, location, "has two columns \"" + printable(name) + "\"",
                  "give each column a different name", {ReasonCode::column_missing, {}});
  ColumnChoice out;
  HANSA_TRY(out.label, find(names, config.label, "label", location, {ReasonCode::label_missing, {}}));
  for (std::size_t i = 0; i < config.columns.size(); ++i) {
    const Reason reason{ReasonCode::column_missing, {{Quantity::column, i + 1}}};
    HANSA_TRY(const std::size_t column, find(names, config.columns[i], "columns", location, reason));
    if (column == out.label)
      return fail(ErrorCode::usage, "data.columns",
                  "names \"" + printable(config.label) + "\", which is the label",
                  "remove it there: the model would be given what it is to predict");
    out.inputs.push_back(column);
  }
  if (config.columns.empty())
    for (std::size_t i = 0; i < names.size(); ++i)
      if (i != out.label) out.inputs.push_back(i);
  if (out.inputs.empty())
    return fail(ErrorCode::data, location, "has no column other than the label", "add the inputs",
                {ReasonCode::column_missing, {}});
  return out;
}

}  // namespace hansa::learning::kinds
