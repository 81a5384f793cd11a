// The contract as TOML, and the check of what an operator wrote.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>

#include "common/data_contract.h"
#include "common/text.h"

namespace hansa {
namespace {

// A basic string of TOML.
std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    char escaped[8];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// The shortest text that gives the same float32, or else the same double. The largest doubles stand for no limit.
std::string toml_text(double value) {
  if (std::abs(value) == std::numeric_limits<double>::max()) return value < 0 ? "-inf" : "inf";
  std::array<char, 40> text{};
  const bool is_float = std::abs(value) <= double{std::numeric_limits<float>::max()} &&
                        double{static_cast<float>(value)} == value;
  const auto end = is_float ? std::to_chars(text.begin(), text.end(), static_cast<float>(value))
                            : std::to_chars(text.begin(), text.end(), value);
  return {text.data(), end.ptr};
}

std::string toml_text(std::int64_t value) { return std::to_string(value); }

template <class T>
void add_list(std::string& out, const char* key, const std::vector<T>& values) {
  if (values.empty()) return;
  out += std::string(key) + " = [";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ", ") + toml_text(values[i]);
  out += "]\n";
}

std::size_t encoded_bytes(const DataContract& contract) {
  std::size_t out = 64 + contract.label.size() +
                    8 * (contract.shape.size() + contract.minimum.size() + contract.maximum.size());
  for (const auto* list : {&contract.columns, &contract.units, &contract.classes, &contract.inputs})
    for (const std::string& text : *list) out += 4 + text.size();
  return out;
}

const std::string* repeated_in(const std::vector<std::string>& names) {
  std::set<std::string_view> seen;
  for (const std::string& name : names)
    if (!seen.insert(name).second) return &name;
  return nullptr;
}

class Check {
 public:
  explicit Check(const DataContract& contract) : contract_(contract) {}

  [[nodiscard]] Result<void> texts() const {
    for (const auto& [key, list] : {std::pair{"columns", &contract_.columns},
                                    {"classes", &contract_.classes},
                                    {"inputs", &contract_.inputs}})
      if (const std::string* name = repeated_in(*list))
        return wrong(key, "names \"" + *name + "\" twice", "give each a name of its own");
    if (!contract_.label.empty() &&
        std::ranges::find(contract_.columns, contract_.label) != contract_.columns.end())
      return wrong("label", "is also one of the columns", "a model must not be given its target");
    for (const auto* list : {&contract_.columns, &contract_.units, &contract_.classes, &contract_.inputs})
      for (const std::string& text : *list)
        if (text.size() > contract_text_bytes_max || !is_utf8(text))
          return wrong("columns", "has a text of more than 256 bytes", "shorten it");
    if (contract_.classes.size() > contract_classes_max)
      return wrong("classes", "has more than 1,024 classes", "leave them out: then labels are not compared");
    if (contract_.inputs.size() > contract_inputs_max)
      return wrong("inputs", "has more than 16 inputs", "leave some out: then they are not compared");
    if (contract_.columns.size() > contract_columns_max)
      return wrong("columns", "has more than 1,024 columns",
                   "leave them out, and set shape: then names are not compared");
    if (contract_.target && *contract_.target != TargetType::classes && !contract_.classes.empty())
      return wrong("classes", "is set, and target is \"" + std::string(name(*contract_.target)) + "\"",
                   "remove one of them");
    return {};
  }

  [[nodiscard]] Result<void> counts() const {
    const std::size_t columns = contract_.columns.size();
    const auto one_for_each = [&](const char* key, std::size_t count) -> Result<void> {
      if (count == 0 || count == columns) return {};
      return wrong(
          key,
          "has " + std::to_string(count) + " entries, but there are " + std::to_string(columns) + " columns",
          "give one entry for each column, in the order of data_contract.columns");
    };
    HANSA_TRY_VOID(one_for_each("units", contract_.units.size()));
    HANSA_TRY_VOID(one_for_each("minimum", contract_.minimum.size()));
    HANSA_TRY_VOID(one_for_each("maximum", contract_.maximum.size()));
    for (std::size_t i = 0; i < std::min(contract_.minimum.size(), contract_.maximum.size()); ++i)
      if (contract_.minimum[i] > contract_.maximum[i])
        return wrong("minimum", "is above maximum for column \"" + contract_.columns[i] + "\"",
                     "exchange them");
    if (contract_.shape.size() > contract_rank_max)
      return wrong("shape", "has more than 8 dimensions", "for example \"shape = [1, 28, 28]\"");
    for (const std::int64_t size : contract_.shape)
      if (size < 1 || size > contract_size_max)
        return wrong("shape", "has a dimension of " + std::to_string(size), "dimensions are 1 or more");
    if (columns > 0 && !contract_.shape.empty() &&
        contract_.shape.front() != static_cast<std::int64_t>(columns))
      return wrong("shape",
                   "begins with " + std::to_string(contract_.shape.front()) + ", but there are " +
                       std::to_string(columns) + " columns",
                   "a row has the shape [columns], a window [columns, rows]");
    return {};
  }

  [[nodiscard]] Result<void> whole() const {
    DataContract compared = contract_;
    compared.units.clear();
    compared.minimum.clear();
    compared.maximum.clear();
    if (compared == DataContract{})
      return wrong("columns", "is missing, and so is everything else that clients compare",
                   "\"hansa contract make CLIENT.TOML\" prints a contract");
    if (encoded_bytes(contract_) > contract_bytes_max)
      return wrong("columns", "and the other lists have more than 48 KiB",
                   "use shorter names, or leave out units");
    return {};
  }

 private:
  [[nodiscard]] tl::unexpected<Error> wrong(const char* key, std::string what, std::string hint) const {
    return fail(ErrorCode::usage, std::string("data_contract.") + key, std::move(what), std::move(hint));
  }

  const DataContract& contract_;
};

}  // namespace

Result<void> check(const DataContract& contract) {
  const Check check(contract);
  HANSA_TRY_VOID(check.texts());
  HANSA_TRY_VOID(check.counts());
  return check.whole();
}

std::string toml_of(const DataContract& contract) {
  std::string out = "[data_contract]\n";
  add_list(out, "columns", contract.columns);
  add_list(out, "units", contract.units);
  if (!contract.label.empty()) out += "label = " + toml_text(std::string_view(contract.label)) + "\n";
  if (contract.target) out += "target = " + toml_text(name(*contract.target)) + "\n";
  add_list(out, "classes", contract.classes);
  if (contract.dtype) out += "dtype = " + toml_text(name(*contract.dtype)) + "\n";
  add_list(out, "shape", contract.shape);
  add_list(out, "inputs", contract.inputs);
  add_list(out, "minimum", contract.minimum);
  add_list(out, "maximum", contract.maximum);
  return out;
}

std::string identity_of(const DataContract& contract) {
  DataContract compared = contract;
  compared.minimum.clear();
  compared.maximum.clear();
  return toml_of(compared);
}

}  // namespace hansa
