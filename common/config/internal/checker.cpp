#include "common/config/internal/checker.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>

#include "common/config/toml_hints.h"
#include "common/spelling.h"
#include "common/text.h"

namespace hansa::config {
namespace {

// Where a value is written: a line of the file, or a variable.
struct Place {
  std::uint32_t line = 0;  // of the file; 0: the key is not in it
  const Variable* variable = nullptr;
};

Place place_of(const toml::node& node) { return {node.source().begin.line}; }

bool in_range(const Range& range, double value) {
  if (std::isnan(value)) return false;
  if (value < range.least || (range.at_least == Bound::exclusive && value == range.least)) return false;
  return !(value > range.most || (range.at_most == Bound::exclusive && value == range.most));
}

std::string wanted_text(const Setting& setting) {
  const std::string range = range_text(setting);
  std::string unit = setting.unit.empty() ? "" : " (" + std::string(setting.unit) + ")";
  return range.empty() ? unit : " " + range + unit;
}

std::string range_after_kind(const Setting& setting) {
  const std::string range = range_text(setting);
  return (range.empty() ? "" : ",") + wanted_text(setting);
}

std::string example_line(const Setting& setting) {
  return std::string(setting.key) + " = " + std::string(setting.example);
}

// A text is written without quotes in a variable.
std::string example_of(const Setting& setting, const Place& place) {
  if (place.variable == nullptr) return "for example \"" + example_line(setting) + "\"";
  std::string_view example = setting.example;
  if (example.size() >= 2 && example.front() == '"' && example.back() == '"')
    example = example.substr(1, example.size() - 2);
  return "for example " + place.variable->name + "=" + std::string(example);
}

bool is_list(std::string_view text) { return trimmed(text).starts_with('['); }

// The value of a variable as it would be written in the file. A text has no quotes, so that it needs no escapes. What is
// no value of TOML becomes a table, which is of the wrong kind for every setting.
toml::table value_of(const Setting& setting, const Variable& variable) {
  const bool is_text = setting.kind == Kind::text || setting.kind == Kind::path ||
                       setting.kind == Kind::choice ||
                       (setting.kind == Kind::texts && !is_list(variable.text));
  if (is_text) return toml::table{{"v", variable.text}};
  if (variable.text.find_first_of("\r\n") == std::string::npos) {
    toml::parse_result parsed = toml::parse("v = " + variable.text);
    if (parsed) return std::move(parsed).table();
  }
  return toml::table{{"v", toml::table()}};
}

}  // namespace

std::string location_text(const std::filesystem::path& file, std::uint32_t line, std::string_view key) {
  std::string out = file.string();
  if (line > 0) out += ":" + std::to_string(line);
  if (!key.empty()) out += ": " + std::string(key);
  return out;
}

class Checker::Work {
 public:
  Work(Document& document, const Schema& schema, const Variables& variables)
      : document_(document), schema_(schema), variables_(variables) {}

  Result<void> check(const toml::table& root) {
    check_names(root);
    for (const Table& table : schema_.tables) {
      if (table.repeated) {
        check_repeated(table, root);
        continue;
      }
      check_table(table, table.name, written_table(table, root));
    }
    return outcome();
  }

  Result<void> check_variables() {
    for (const Table& table : schema_.tables) {
      if (table.repeated) continue;
      for (const Setting& setting : table.settings) {
        const std::string key = std::string(table.name) + "." + std::string(setting.key);
        if (const Variable* variable = variables_.find(key))
          static_cast<void>(checked(setting, key, *variable));
      }
    }
    return outcome();
  }

 private:
  // A missing key is reported only if nothing that is written is wrong.
  static constexpr std::uint32_t rank_missing = 1U << 31;

  Result<void> outcome() {
    if (mistake_) return tl::unexpected<Error>(std::move(*mistake_));
    return {};
  }

  void report(std::uint32_t rank, std::string location, std::string what, std::string hint) {
    if (mistake_ && mistake_rank_ <= rank) return;
    mistake_rank_ = rank;
    mistake_ = Error{ErrorCode::usage, std::move(location), std::move(what), std::move(hint)};
  }
  void report(const Place& place, std::string_view key, std::string what, std::string hint) {
    if (place.variable != nullptr) report(0, place.variable->name, std::move(what), std::move(hint));
    else
      report(place.line, location_text(document_.file_, place.line, key), std::move(what), std::move(hint));
  }

  void report_unknown(const Place& place, std::string_view key, std::string_view what_kind,
                      std::string_view word, const std::vector<std::string>& known) {
    if (const auto near = nearest_word(word, known))
      return report(place, key, "unknown " + std::string(what_kind), "did you mean \"" + *near + "\"?");
    std::string all;
    for (const auto& name : known) all += (all.empty() ? "" : ", ") + name;
    report(place, key, "unknown " + std::string(what_kind), "known here: " + all);
  }

  void check_names(const toml::table& root) {
    std::vector<std::string> known;
    for (const Table& table : schema_.tables)
      if (!table.repeated) known.emplace_back(table.name);
    for (auto&& [name, node] : root) {
      const Place place{name.source().begin.line};
      const auto table = std::ranges::find(schema_.tables, name.str(), &Table::name);
      if (table == schema_.tables.end()) {
        if (node.is_table())
          report_unknown(place, "[" + std::string(name.str()) + "]", "table", name.str(), known);
        else report(place, name.str(), "is outside a table", hint_for_stray_key(name.str()));
      } else if (!node.is_table()) {
        report(place, name.str(), "must be a table",
               "write [" + std::string(name.str()) + "] on a line of its own");
      }
    }
  }

  std::string hint_for_stray_key(std::string_view key) const {
    for (const Table& table : schema_.tables)
      for (const Setting& setting : table.settings)
        if (setting.key == key) return "move it below [" + std::string(table.name) + "]";
    return "remove it, or move it below the table it belongs to";
  }

  // The table [outer] or [outer.inner]; null if the file does not have it.
  const toml::table* written_table(const Table& table, const toml::table& root) {
    const auto dot = table.name.find('.');
    const toml::node* node = root.get(table.name.substr(0, dot));
    if (node == nullptr || dot == std::string_view::npos) return node == nullptr ? nullptr : node->as_table();
    const toml::table* outer = node->as_table();
    node = outer == nullptr ? nullptr : outer->get(table.name.substr(dot + 1));
    if (node == nullptr) return nullptr;
    if (!node->is_table())
      report(place_of(*node), table.name, "must be a table",
             "write [" + std::string(table.name) + "] on a line of its own");
    return node->as_table();
  }

  // [[outer.inner]] in a table [outer].
  void check_repeated(const Table& table, const toml::table& root) {
    const auto dot = table.name.find('.');
    const toml::table* outer = root[table.name.substr(0, dot)].as_table();
    const toml::node* node = outer == nullptr ? nullptr : outer->get(table.name.substr(dot + 1));
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr || !array->is_homogeneous<toml::table>())
      return report(place_of(*node), table.name, "must be tables",
                    "write [[" + std::string(table.name) + "]] on a line of its own");
    for (std::size_t i = 0; i < array->size(); ++i)
      check_table(table, std::string(table.name) + "[" + std::to_string(i) + "]", array->get(i)->as_table());
  }

  void check_table(const Table& table, std::string_view name, const toml::table* written) {
    const std::uint32_t table_line = written == nullptr ? 0 : place_of(*written).line;
    const bool is_set = written != nullptr || has_variable(table, name);
    if (is_set) document_.tables_.emplace(name, table_line);
    if (written != nullptr) check_keys(table, *written);
    for (const Setting& setting : table.settings) {
      const std::string key = std::string(name) + "." + std::string(setting.key);
      const toml::node* node = written == nullptr ? nullptr : written->get(setting.key);
      if (const Variable* variable = variables_.find(key)) {
        if (auto value = checked(setting, key, *variable))
          document_.values_.emplace(key, Document::Value{std::move(*value), 0, variable->name});
      } else if (node != nullptr) {
        if (auto value = check_value(setting, key, place_of(*node), *node))
          document_.values_.emplace(key, Document::Value{std::move(*value), place_of(*node).line});
      } else if (setting.presence == Presence::defaulted) {
        document_.values_.emplace(key, Document::Value{default_of(setting), 0});
      } else if (setting.presence == Presence::required && (is_set || table.presence != Presence::optional)) {
        const bool by_variable = !variables_.empty() && !table.repeated;
        report(rank_missing + table_line, location_text(document_.file_, table_line, key), "is missing",
               "add \"" + example_line(setting) + "\" below [" + std::string(table.name) + "]" +
                   (by_variable ? ", or set " + variable_name(key) : ""));
      }
    }
  }

  bool has_variable(const Table& table, std::string_view name) const {
    return std::ranges::any_of(table.settings, [&](const Setting& setting) {
      return variables_.find(std::string(name) + "." + std::string(setting.key)) != nullptr;
    });
  }

  void check_keys(const Table& table, const toml::table& written) {
    std::vector<std::string> known;
    for (const Setting& setting : table.settings) known.emplace_back(setting.key);
    for (auto&& [name, node] : written) {
      if (std::ranges::find(table.settings, name.str(), &Setting::key) != table.settings.end()) continue;
      const std::string inner = std::string(table.name) + "." + std::string(name.str());
      if (std::ranges::find(schema_.tables, inner, &Table::name) != schema_.tables.end()) continue;
      const std::string key = std::string(table.name) + "." + std::string(name.str());
      report_unknown(Place{name.source().begin.line}, key, "key", name.str(), known);
    }
  }

  using Variant = decltype(Document::Value::value);

  std::optional<Variant> checked(const Setting& setting, const std::string& key, const Variable& variable) {
    const toml::table table = value_of(setting, variable);
    return check_value(setting, key, Place{.variable = &variable}, *table.get("v"));
  }

  std::optional<Variant> check_value(const Setting& setting, const std::string& key, const Place& place,
                                     const toml::node& node) {
    const auto wrong_kind = [&](std::string_view wanted) {
      report(place, key, "must be " + std::string(wanted) + range_after_kind(setting),
             example_of(setting, place));
      return std::optional<Variant>();
    };
    switch (setting.kind) {
      case Kind::text:
      case Kind::path:
      case Kind::choice: {
        const auto text = node.value_exact<std::string>();
        if (!text) return wrong_kind("a text in quotes");
        if (!check_text(setting, key, place, *text)) return std::nullopt;
        return *text;
      }
      case Kind::texts: {
        const std::string_view texts_wanted = place.variable == nullptr
                                                  ? "a text in quotes or a list of them"
                                                  : "a text or a list of texts in quotes";
        std::vector<std::string> texts;
        if (const auto text = node.value_exact<std::string>()) {
          texts.push_back(*text);
        } else if (const toml::array* array = node.as_array()) {
          for (auto&& item : *array) {
            const auto one = item.value_exact<std::string>();
            if (!one) return wrong_kind(texts_wanted);
            texts.push_back(*one);
          }
        } else {
          return wrong_kind(texts_wanted);
        }
        if (texts.empty()) {
          report(place, key, "is an empty list", example_of(setting, place));
          return std::nullopt;
        }
        for (const auto& text : texts)
          if (!check_text(setting, key, place, text)) return std::nullopt;
        return texts;
      }
      case Kind::integer: {
        const auto number = node.value_exact<std::int64_t>();
        if (!number) return wrong_kind("a whole number");
        if (!check_range(setting, key, place, static_cast<double>(*number), std::to_string(*number)))
          return std::nullopt;
        return *number;
      }
      case Kind::number: {
        const auto number = number_in(node);
        if (!number) return wrong_kind("a number");
        if (!check_number(setting, key, place, *number)) return std::nullopt;
        return *number;
      }
      case Kind::numbers: {
        const toml::array* array = node.as_array();
        if (array == nullptr || array->empty()) return wrong_kind("a list of numbers");
        std::vector<double> numbers;
        for (auto&& item : *array) {
          const auto number = number_in(item);
          if (!number) return wrong_kind("a list of numbers");
          if (!check_number(setting, key, place, *number)) return std::nullopt;
          numbers.push_back(*number);
        }
        return numbers;
      }
      case Kind::boolean: {
        const auto truth = node.value_exact<bool>();
        if (!truth) return wrong_kind("true or false");
        return *truth;
      }
    }
    return std::nullopt;
  }

  static std::optional<double> number_in(const toml::node& node) {
    const auto whole = node.value_exact<std::int64_t>();
    return whole ? std::optional(static_cast<double>(*whole)) : node.value_exact<double>();
  }

  bool check_number(const Setting& setting, const std::string& key, const Place& place, double number) {
    char written[32];
    std::snprintf(written, sizeof written, "%g", number);
    return check_range(setting, key, place, number, written);
  }

  bool check_range(const Setting& setting, const std::string& key, const Place& place, double value,
                   const std::string& written) {
    if (in_range(setting.range, value)) return true;
    report(place, key, "is " + written + " but must be" + wanted_text(setting), example_of(setting, place));
    return false;
  }

  bool check_text(const Setting& setting, const std::string& key, const Place& place,
                  const std::string& text) {
    if (setting.kind == Kind::choice) {
      if (std::ranges::find(setting.choices, text) != setting.choices.end()) return true;
      std::string all;
      for (const std::string_view choice : setting.choices)
        all += (all.empty() ? "\"" : " or \"") + std::string(choice) + "\"";
      report(place, key, "is \"" + text + "\", which is not a choice", "use " + all);
      return false;
    }
    if (text.empty()) {
      report(place, key, "is empty", example_of(setting, place));
      return false;
    }
    if (setting.kind == Kind::path) {
      if (const std::string_view hint = path_hint(text); !hint.empty()) {
        report(place, key, "is \"" + text + "\"", std::string(hint));
        return false;
      }
    }
    if (in_range(setting.range, static_cast<double>(text.size()))) return true;
    report(place, key,
           "has " + std::to_string(text.size()) + " characters but must have" + wanted_text(setting),
           example_of(setting, place));
    return false;
  }

  // Defaults are part of the program: a test checks that they fit their settings, so a mistake is not reported here.
  Variant default_of(const Setting& setting) {
    const auto parsed = toml::parse("v = " + std::string(setting.default_value));
    assert(parsed);
    auto value = check_value(setting, std::string(setting.key), Place{}, *parsed.table().get("v"));
    assert(value);
    return std::move(*value);
  }

  Document& document_;
  const Schema& schema_;
  const Variables& variables_;
  std::optional<Error> mistake_;
  std::uint32_t mistake_rank_ = 0;
};

Result<void> Checker::check(Document& document, const Schema& schema, const Variables& variables,
                            const toml::table& root) {
  return Work(document, schema, variables).check(root);
}

Result<void> Checker::check_variables(const Schema& schema, const Variables& variables) {
  Document unused;
  return Work(unused, schema, variables).check_variables();
}

}  // namespace hansa::config
