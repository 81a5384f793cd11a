// A TOML file that was checked against its schema: every required value is present, has its kind and is in its range.
// Environment variables may set some of its values (variables.h); they count as written, and replace what the file says.
//
// toml++ stays inside this folder. A Document is immutable; any thread may read it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/config/schema.h"
#include "common/config/variables.h"
#include "common/error.h"
#include "common/time.h"

namespace hansa::config {

// What read() does without a file.
enum class MissingFile : std::uint8_t {
  is_an_error,
  is_empty,  // if any variable is set: variables may be the whole configuration
};

class Document {
 public:
  static constexpr std::size_t bytes_max = 1 << 20;

  // Fails (usage) with "file:LINE: table.key: what; hint" for the first mistake in the file, and with "VARIABLE: what;
  // hint" for one in a variable. A missing key is reported only if there is no other mistake, because it is often one
  // that was misspelled. Variables of keys that the schema does not have are ignored.
  [[nodiscard]] static Result<Document> read(const std::filesystem::path& file, const Schema& schema,
                                             const Variables& variables = {},
                                             MissingFile missing = MissingFile::is_an_error);
  [[nodiscard]] static Result<Document> parse(std::string_view toml, const std::filesystem::path& file,
                                              const Schema& schema, const Variables& variables = {});
  // Fails like read() if a variable's value is wrong, whatever else is missing.
  [[nodiscard]] static Result<void> check(const Variables& variables, const Schema& schema);

  [[nodiscard]] bool has_table(
      std::string_view table) const;  // written in the file, or a variable sets a key of it
  // The number of times a repeated table is written. The keys of the first are "table[0].key".
  [[nodiscard]] std::size_t count(std::string_view table) const;
  [[nodiscard]] bool has(std::string_view key) const;  // has a value: written or default

  // The key is "table.key" from the schema and has(key) is true; both are asserted.
  [[nodiscard]] const std::string& text(std::string_view key) const;
  [[nodiscard]] const std::vector<std::string>& texts(std::string_view key) const;
  [[nodiscard]] std::filesystem::path path(std::string_view key) const;  // resolved, lexically normal
  // The setting's range must exclude negative values.
  [[nodiscard]] std::uint64_t integer(std::string_view key) const;
  [[nodiscard]] double number(std::string_view key) const;
  [[nodiscard]] const std::vector<double>& numbers(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] Duration duration_s(std::string_view key) const;  // a number of seconds

  // "file:LINE: key", or the name of the variable that sets it; for a missing key, the line of its table. For errors
  // that only the user of the value can detect.
  [[nodiscard]] std::string location(std::string_view key) const;
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  friend class Checker;
  struct Value {
    std::variant<std::string, std::vector<std::string>, std::int64_t, double, std::vector<double>, bool>
        value;
    std::uint32_t line = 0;  // 0: a default, or set by a variable
    std::string variable = {};  // its name; empty: the value is from the file, or a default
  };
  [[nodiscard]] const Value& at(std::string_view key) const;

  std::filesystem::path file_;
  std::map<std::string, std::uint32_t, std::less<>> tables_;  // name to line
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace hansa::config
