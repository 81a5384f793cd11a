// The lines of a file.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "learning/data/internal/byte_stream.h"

namespace hansa::learning::kinds {

class LineReader {
 public:
  static constexpr std::size_t line_bytes_max = std::size_t{16} << 20;

  explicit LineReader(internal::ByteStream& file) : file_(file), buffer_(1 << 16) {}

  // Moves to the next line that has other characters than blanks. Returns false at the end. Fails (data) at a line of
  // more than line_bytes_max bytes.
  [[nodiscard]] Result<bool> next();
  [[nodiscard]] std::string_view line() const { return line_; }  // without its newline
  [[nodiscard]] std::uint64_t number() const { return number_; }  // from 1

 private:
  [[nodiscard]] Result<bool> read_line();

  internal::ByteStream& file_;
  std::vector<std::uint8_t> buffer_;
  std::string_view unread_;  // of the buffer
  std::string line_;
  std::uint64_t number_ = 0;
};

}  // namespace hansa::learning::kinds
