#include "learning/data/kinds/npy/python_dict.h"

#include <charconv>
#include <utility>

namespace hansa::learning::kinds {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::optional<PythonDict> dict() {
    PythonDict out;
    if (!take('{')) return std::nullopt;
    while (!take('}')) {
      std::optional<std::string> key = string();
      if (!key || !take(':')) return std::nullopt;
      std::optional<PythonValue> value = this->value();
      if (!value || !out.emplace(*std::move(key), *std::move(value)).second) return std::nullopt;
      if (!take(',') && next() != '}') return std::nullopt;
    }
    if (next() != '\0') return std::nullopt;
    return out;
  }

 private:
  // The next character that is not blank; NUL at the end.
  char next() {
    const std::size_t blanks = rest_.find_first_not_of(" \t\n");
    rest_.remove_prefix(std::min(blanks, rest_.size()));
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool take(char wanted) {
    if (next() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    next();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::optional<PythonValue> value() {
    if (take("True")) return true;
    if (take("False")) return false;
    switch (next()) {
      case '(': return tuple();
      case '[': return list();
      default: return string();
    }
  }

  std::optional<std::string> string() {
    const char quote = next();
    if (quote != '\'' && quote != '"') return std::nullopt;
    const std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view out = rest_.substr(1, end - 1);
    if (out.find('\\') != std::string_view::npos) return std::nullopt;
    rest_.remove_prefix(end + 1);
    return std::string(out);
  }

  std::optional<PythonValue> tuple() {
    std::vector<std::uint64_t> out;
    take('(');
    while (!take(')')) {
      next();
      std::uint64_t number = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
      if (error != std::errc()) return std::nullopt;
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      take('L');  // Python 2 wrote 3L
      out.push_back(number);
      if (!take(',') && next() != ')') return std::nullopt;
    }
    return out;
  }

  // Skips to the bracket that closes the list.
  std::optional<PythonValue> list() {
    std::size_t open = 0;
    while (next() != '\0') {
      if (next() == '\'' || next() == '"') {
        if (!string()) return std::nullopt;
        continue;
      }
      if (next() == '[') ++open;
      if (next() == ']') --open;
      rest_.remove_prefix(1);
      if (open == 0) return PythonList();
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<PythonDict> parse_python_dict(std::string_view text) { return Reader(text).dict(); }

}  // namespace hansa::learning::kinds
