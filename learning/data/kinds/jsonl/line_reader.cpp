#include "learning/data/kinds/jsonl/line_reader.h"

#include <algorithm>

namespace hansa::learning::kinds {

Result<bool> LineReader::next() {
  for (;;) {
    HANSA_TRY(const bool more, read_line());
    if (!more) return false;
    if (line_.find_first_not_of(" \t\r") != std::string::npos) return true;
  }
}

Result<bool> LineReader::read_line() {
  line_.clear();
  ++number_;
  for (;;) {
    if (unread_.empty()) {
      HANSA_TRY(const std::size_t n, file_.read_some(buffer_));
      if (n == 0) return !line_.empty();
      unread_ = {reinterpret_cast<const char*>(buffer_.data()), n};
    }
    const std::size_t newline = std::min(unread_.find('\n'), unread_.size());
    if (line_.size() + newline > line_bytes_max)
      return fail(ErrorCode::data, file_.path().string() + ":" + std::to_string(number_),
                  "has more than 16 MiB", "write each object in a line of its own",
                  {ReasonCode::data_too_large, {{Quantity::line, number_}}});
    line_ += unread_.substr(0, newline);
    const bool is_whole = newline < unread_.size();
    unread_.remove_prefix(std::min(newline + 1, unread_.size()));
    if (is_whole) return true;
  }
}

}  // namespace hansa::learning::kinds
