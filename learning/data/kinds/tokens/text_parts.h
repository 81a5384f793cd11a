// Cuts a text that arrives in pieces into the parts that a tokenizer encodes one by one.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace hansa::learning::kinds {

// A part is a line with its newline. A longer one than part_bytes_max is cut after its last space, or else between two
// characters.
class TextParts {
 public:
  static constexpr std::size_t part_bytes_max = std::size_t{1} << 16;

  void add(std::string_view piece);
  void end() { is_complete_ = true; }  // nothing is added after it
  // The next part, valid until add() is called; empty if there is none yet.
  [[nodiscard]] std::string_view next();

 private:
  std::string text_;
  std::size_t begin_ = 0;  // of what is not returned yet
  bool is_complete_ = false;
};

}  // namespace hansa::learning::kinds
