// Records of a CSV file (RFC 4180), one after the other: quoted fields with delimiters, newlines and doubled
// quotes; LF or CRLF; a UTF-8 byte order mark at the start is skipped, and so are empty lines.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace hansa::learning::internal {

struct CsvRecord {
  std::vector<std::string_view> fields;  // valid until the next record is read
  std::uint64_t line = 0;  // on which it starts, from 1
  std::string_view bytes;  // as they stand in the file, without the line's end; of LastLine::torn only
};

// Where reading stands: between two records.
struct CsvPosition {
  std::uint64_t offset = 0;  // bytes of the file before it
  std::uint64_t line = 1;
};

class CsvReader {
 public:
  static constexpr std::size_t record_bytes_max = 1 << 20;
  static constexpr std::size_t fields_max = 1 << 16;

  // Up to as many bytes as the span takes; 0 at the end.
  using ReadSome = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;
  // What the last bytes are if no newline ends them: a record (a file that is finished), or not yet one (a
  // file that grows). place names the file in errors.
  enum class LastLine : std::uint8_t { whole, torn };
  CsvReader(ReadSome read, std::string place, char delimiter, LastLine last_line = LastLine::whole,
            CsvPosition start = {});

  // False at the end. Fails (data), naming file and line, on a quote that is never closed or is followed by
  // other text, a NUL byte, and a record beyond the bounds above.
  [[nodiscard]] Result<bool> next(CsvRecord& record);
  // Behind the last record that next() gave.
  [[nodiscard]] CsvPosition position() const { return position_; }

 private:
  enum class State : std::uint8_t { field_start, plain, quoted, quote_in_quoted };
  [[nodiscard]] Result<bool> fill();
  [[nodiscard]] tl::unexpected<Error> bad(std::uint64_t line, std::string what, std::string hint) const;
  [[nodiscard]] Result<bool> take(std::uint8_t byte);  // true: it ended a record
  void end_field();
  [[nodiscard]] bool has_record() const { return !ends_.empty() || !text_.empty() || quoted_line_ != 0; }
  void give(CsvRecord& record);
  void advance();
  [[nodiscard]] Result<bool> finish(CsvRecord& record);

  ReadSome read_;
  std::string location_;
  char delimiter_;
  LastLine last_line_;
  CsvPosition position_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;

  // The record being read.
  State state_ = State::field_start;
  std::string text_;  // all fields, one after the other
  std::string raw_;  // its bytes, if the file grows
  std::vector<std::size_t> ends_;  // of the fields in text_
  std::uint64_t bytes_ = 0;  // of the file, taken since position_
  std::uint64_t lines_ = 0;  // newlines among them
  std::uint64_t first_line_ = 1;  // of this record
  std::uint64_t quoted_line_ = 0;  // where the last quoted field of this record started; 0: none
};

}  // namespace hansa::learning::internal
