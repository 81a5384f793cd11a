#include "learning/data/internal/csv_reader.h"

#include <algorithm>
#include <utility>

namespace hansa::learning::internal {
namespace {

constexpr std::size_t buffer_bytes = 1 << 16;
constexpr std::uint64_t hole_bytes_max = std::uint64_t{256} << 20;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

CsvReader::CsvReader(ReadSome read, std::string location, char delimiter, LastLine last_line,
                     CsvPosition start, RawBytes raw_bytes, Damage damage)
    : read_(std::move(read)),
      location_(std::move(location)),
      delimiter_(delimiter),
      last_line_(last_line),
      raw_bytes_(raw_bytes),
      damage_(damage),
      position_(start),
      buffer_(buffer_bytes),
      first_line_(start.line) {}

tl::unexpected<Error> CsvReader::bad(std::uint64_t line, std::string what, std::string hint) {
  is_damaged_ = true;
  return fail(ErrorCode::data, location_ + ":" + std::to_string(line), std::move(what), std::move(hint),
              {ReasonCode::data_damaged, {{Quantity::line, line}}});
}

Result<bool> CsvReader::fill() {
  const bool at_start = position_.offset == 0 && bytes_ == 0;
  HANSA_TRY(end_, read_(buffer_));
  begin_ = 0;
  if (at_start) {
    // The byte order mark has three bytes, and the first read may return fewer.
    while (end_ > 0 && end_ < byte_order_mark.size()) {
      HANSA_TRY(const std::size_t more, read_(std::span(buffer_).subspan(end_)));
      if (more == 0) break;
      end_ += more;
    }
    const std::string_view start(reinterpret_cast<const char*>(buffer_.data()), end_);
    if (start.starts_with(byte_order_mark)) {
      bytes_ = begin_ = byte_order_mark.size();
      if (begin_ == end_) return fill();
    }
  }
  return end_ > begin_;
}

// A hole may have many bytes.
void CsvReader::pass_zeros() {
  const auto* first = buffer_.data() + begin_;
  const auto* end = std::find_if(first, static_cast<const std::uint8_t*>(buffer_.data()) + end_,
                                 [](std::uint8_t byte) { return byte != 0; });
  const auto count = static_cast<std::size_t>(end - first);
  pending_hole_ += count;
  bytes_ += count;
  begin_ += count;
}

void CsvReader::end_field() {
  ends_.push_back(text_.size());
  state_ = State::field_start;
}

Result<bool> CsvReader::take(std::uint8_t byte) {
  const char c = static_cast<char>(byte);
  last_byte_ = byte;
  ++bytes_;
  if (c == '\0' && damage_ == Damage::passed && !has_record()) {
    if (++pending_hole_ > hole_bytes_max)
      return bad(position_.line, "has more than 256 MiB of NUL bytes", "rotate the file");
    return false;
  }
  // Only what is followed by something is a hole: at the end of the file a program may have reserved room for rows.
  if (pending_hole_ > 0 && !has_record()) {
    if (hole_bytes_ == 0) hole_line_ = position_.line;
    hole_bytes_ += std::exchange(pending_hole_, 0);
    --bytes_;
    advance();
    ++bytes_;
  }
  if (raw_bytes_ == RawBytes::kept) raw_ += c;
  const std::uint64_t line = position_.line + lines_;
  if (c == '\n') ++lines_;
  if (c == '\0')
    return bad(line, "holds a NUL byte", "name a text file of comma-separated values (UTF-8, not UTF-16)");
  if (text_.size() >= record_bytes_max)
    return bad(first_line_, "starts a record of more than 1 MiB",
               "check for a quote that is never closed, and that the file is CSV");
  switch (state_) {
    case State::field_start:
      if (c == '"') {
        quoted_line_ = line;
        state_ = State::quoted;
        return false;
      }
      [[fallthrough]];
    case State::plain:
      if (c == delimiter_) {
        end_field();
        if (ends_.size() >= fields_max)
          return bad(first_line_, "has more than 65,536 fields", "check data.delimiter");
      } else if (c == '\n') {
        if (state_ == State::plain && text_.ends_with('\r')) text_.pop_back();
        return true;
      } else {
        text_ += c;
        state_ = State::plain;
      }
      return false;
    case State::quoted:
      if (c == '\n' && damage_ == Damage::passed)
        return bad(line, "opens a quote that is not closed in its line",
                   "close it; a file that is followed has each row in one line");
      if (c == '"') state_ = State::quote_in_quoted;
      else text_ += c;
      return false;
    case State::quote_in_quoted:
      if (c == '"') {
        text_ += c;
        state_ = State::quoted;
      } else if (c == delimiter_) {
        end_field();
      } else if (c == '\n') {
        return true;
      } else if (c != '\r') {  // first byte of CRLF
        return bad(line, "has text after a closing quote", "write a quote inside a quoted field twice");
      }
      return false;
  }
  return false;
}

void CsvReader::give(CsvRecord& record) {
  end_field();
  record.fields.clear();
  record.line = first_line_;
  std::size_t begin = 0;
  for (const std::size_t end : ends_) {
    record.fields.push_back(std::string_view(text_).substr(begin, end - begin));
    begin = end;
  }
  record.bytes = raw_;
  if (record.bytes.ends_with('\n')) record.bytes.remove_suffix(1);
  if (record.bytes.ends_with('\r')) record.bytes.remove_suffix(1);
  advance();
}

void CsvReader::advance() {
  position_.offset += std::exchange(bytes_, 0);
  position_.line += std::exchange(lines_, 0);
}

// Handles the bytes after the last newline.
Result<bool> CsvReader::finish(CsvRecord& record) {
  if (last_line_ == LastLine::torn || !has_record()) return false;
  if (state_ == State::quoted)
    return bad(quoted_line_, "opens a quote that is never closed", "close it, or remove it");
  if (state_ == State::plain && text_.ends_with('\r')) text_.pop_back();
  give(record);
  return true;
}

Result<bool> CsvReader::next(CsvRecord& record) {
  text_.clear();
  raw_.clear();
  ends_.clear();
  quoted_line_ = 0;
  state_ = State::field_start;
  first_line_ = position_.line;
  is_damaged_ = false;
  pending_hole_ = 0;
  for (;;) {
    if (begin_ == end_) {
      HANSA_TRY(const bool more, fill());
      if (!more) return finish(record);
    }
    if (pending_hole_ > 0) pass_zeros();
    if (begin_ == end_) continue;
    HANSA_TRY(const bool ended, take(buffer_[begin_++]));
    if (!ended) continue;
    if (has_record()) {
      give(record);
      return true;
    }
    // Empty lines are skipped.
    raw_.clear();
    advance();
    first_line_ = position_.line;
    state_ = State::field_start;
  }
}

Result<bool> CsvReader::skip_line(CsvRecord& record) {
  constexpr std::uint64_t line_bytes_max = 64 << 20;
  while (last_byte_ != '\n') {
    if (bytes_ > line_bytes_max) return bad(first_line_, "has a line of more than 64 MiB", "rotate the file");
    if (begin_ == end_) {
      HANSA_TRY(const bool more, fill());
      if (!more && last_line_ == LastLine::torn) return false;
      if (!more) break;
    }
    last_byte_ = buffer_[begin_++];
    ++bytes_;
    if (last_byte_ == '\n') ++lines_;
    if (raw_bytes_ == RawBytes::kept && raw_.size() < record_bytes_max) raw_ += static_cast<char>(last_byte_);
  }
  text_.clear();
  ends_.clear();
  give(record);
  record.fields.clear();
  return true;
}

}  // namespace hansa::learning::internal
