// Reads the records of a CSV file in order (RFC 4180): quoted fields with delimiters, newlines and doubled quotes; LF
// or CRLF. A UTF-8 byte order mark at the start and empty lines are skipped.
//
// A damaged line need not hide those behind it: skip_line() continues after it.
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
  std::uint64_t line = 0;  // line where the record starts, from 1
  std::string_view bytes;  // the bytes in the file without the end of line; only with RawBytes::kept
};

// A position between two records.
struct CsvPosition {
  std::uint64_t offset = 0;  // bytes of the file before the position
  std::uint64_t line = 1;
};

class CsvReader {
 public:
  static constexpr std::size_t record_bytes_max = 1 << 20;
  static constexpr std::size_t fields_max = 1 << 16;

  // Reads up to as many bytes as the span holds; returns 0 at the end.
  using ReadSome = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;
  // How to treat a last line without a newline: as a record (whole: the file is complete), or as one that is still
  // being written (torn: the file grows). The location names the file in errors.
  enum class LastLine : std::uint8_t { whole, torn };
  // Whether CsvRecord::bytes is filled.
  enum class RawBytes : std::uint8_t { dropped, kept };
  // passed: what follows the damage of a file that grows is read. NUL bytes before a record are passed: there a program
  // continued to write at its old position in a file that was truncated, or a power cut left a hole. A field ends in its
  // line, because a quote that is never closed would otherwise take all further lines in.
  enum class Damage : std::uint8_t { refused, passed };
  CsvReader(ReadSome read, std::string location, char delimiter, LastLine last_line = LastLine::whole,
            CsvPosition start = {}, RawBytes raw_bytes = RawBytes::dropped, Damage damage = Damage::refused);

  // Returns false at the end. Fails (data), naming file and line, on a quote that is never closed or is followed by
  // other text, on a NUL byte, and on a record beyond the limits above.
  [[nodiscard]] Result<bool> next(CsvRecord& record);
  // Whether the last error is damage of the file, and not an error of reading it.
  [[nodiscard]] bool is_damaged() const { return is_damaged_; }
  // After next() has failed because of damage: passes the rest of the line, and returns it as a record without fields. Returns false if its
  // end is not there yet.
  [[nodiscard]] Result<bool> skip_line(CsvRecord& record);
  // The position after the last record that was returned, and after a hole.
  [[nodiscard]] CsvPosition position() const { return position_; }
  // The bytes of holes that were passed.
  [[nodiscard]] std::uint64_t hole_bytes() const { return hole_bytes_; }
  [[nodiscard]] std::uint64_t hole_line() const { return hole_line_; }  // of the first one

 private:
  enum class State : std::uint8_t { field_start, plain, quoted, quote_in_quoted };
  [[nodiscard]] Result<bool> fill();
  [[nodiscard]] tl::unexpected<Error> bad(std::uint64_t line, std::string what, std::string hint);
  [[nodiscard]] Result<bool> take(std::uint8_t byte);  // true: the byte ended a record
  void end_field();
  void pass_zeros();
  [[nodiscard]] bool has_record() const { return !ends_.empty() || !text_.empty() || quoted_line_ != 0; }
  void give(CsvRecord& record);
  void advance();
  [[nodiscard]] Result<bool> finish(CsvRecord& record);

  ReadSome read_;
  std::string location_;
  char delimiter_;
  LastLine last_line_;
  RawBytes raw_bytes_;
  Damage damage_;
  std::uint64_t hole_bytes_ = 0;
  std::uint64_t hole_line_ = 0;
  std::uint64_t pending_hole_ = 0;  // NUL bytes since the position
  bool is_damaged_ = false;
  std::uint8_t last_byte_ = 0;
  CsvPosition position_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;

  // State of the current record.
  State state_ = State::field_start;
  std::string text_;  // the text of all fields, concatenated
  std::string raw_;  // its bytes, with RawBytes::kept
  std::vector<std::size_t> ends_;  // where each field ends in text_
  std::uint64_t bytes_ = 0;  // bytes of the file read since position_
  std::uint64_t lines_ = 0;  // newlines among these bytes
  std::uint64_t first_line_ = 1;  // first line of this record
  std::uint64_t quoted_line_ = 0;  // line where the last quoted field of this record started; 0: none
};

}  // namespace hansa::learning::internal
