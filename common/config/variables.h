// Environment variables that set values of a configuration, for containers: HANSA__TABLE__KEY is `key` of [table].
//
// "__" stands for each '.' of the key's full name, because shells cannot export a name with a dot. Kubernetes derives
// variables such as HANSA_AGGREGATOR_PORT from the names of services: none of them has two underscores after HANSA.
// Immutable; any thread may read it.
#pragma once
#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "common/config/schema.h"
#include "common/error.h"

namespace hansa::config {

// "data.file" -> "HANSA__DATA__FILE"
[[nodiscard]] std::string variable_name(std::string_view key);

struct Variable {
  std::string name;  // "HANSA__DATA__FILE"
  std::string text;  // its value, not checked: document.h does
};

class Variables {
 public:
  static constexpr std::string_view prefix = "HANSA__";
  static constexpr std::size_t bytes_max = 64 << 10;  // of one value

  Variables() = default;  // none

  // environment: entries NAME=VALUE, and a null pointer after the last, as `environ`. Takes those that begin with the
  // prefix. Fails (usage), naming the variable, if one of them is for no key of the schemas, is set twice, is not UTF-8,
  // or is longer than bytes_max. A key of a repeated table has no variable.
  [[nodiscard]] static Result<Variables> read(const char* const* environment,
                                              std::initializer_list<const Schema*> schemas);

  // The variable of "table.key"; null: it is not set.
  [[nodiscard]] const Variable* find(std::string_view key) const;
  [[nodiscard]] bool empty() const { return variables_.empty(); }
  // "HANSA__A__B, HANSA__C__D": for the log, without values, which may be secret.
  [[nodiscard]] std::string names() const;
  // A line NAME=VALUE for each, in the order of their keys.
  [[nodiscard]] std::string lines() const;

 private:
  std::map<std::string, Variable, std::less<>> variables_;  // by key
};

}  // namespace hansa::config
