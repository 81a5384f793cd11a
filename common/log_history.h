// The newest lines of the log, in memory: what a display of the log pages through.
//
// Bounded in records and in bytes: the oldest records make room for new ones. Thread-safe; each call takes time
// proportional to the records that it returns.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "common/log_record.h"

namespace hansa {

class LogHistory {
 public:
  struct Limits {
    std::size_t records = 10'000;  // at least 1
    // Of all records together, with their texts. The newest record is kept in any case.
    std::size_t bytes = std::size_t{4} << 20;
  };
  // A longer text is shortened in the history, and ends with "..." there.
  static constexpr std::size_t message_bytes_max = 8'192;
  static constexpr std::size_t field_bytes_max = 256;  // of component, event, client, phase

  explicit LogHistory(Limits limits) : limits_(limits) {}
  LogHistory(const LogHistory&) = delete;
  LogHistory& operator=(const LogHistory&) = delete;

  // Gives the record its sequence, which is one more than that of the record before.
  void add(LogRecord record);

  // The oldest records after this sequence, `most` at most, in ascending order. If the first one has not the sequence
  // that follows, the records between have made room for newer ones. after(0, most): from the oldest one on.
  [[nodiscard]] std::vector<LogRecord> after(std::uint64_t sequence, std::size_t most) const;
  // The newest records before this sequence, `most` at most, in ascending order. For paging backwards from a record;
  // before(newest() + 1, most) returns the last page.
  [[nodiscard]] std::vector<LogRecord> before(std::uint64_t sequence, std::size_t most) const;
  // The sequence of the newest record; 0: nothing was added.
  [[nodiscard]] std::uint64_t newest() const;

  // Is called after each add, on the thread that logs, one call at a time: it must be fast, must not block, and
  // must not log. It may read the history. Set it once; an empty function takes it back, and when that call returns,
  // the earlier function is not running any more.
  void on_added(std::function<void()> listener);

 private:
  const Limits limits_;
  mutable std::mutex mutex_;
  std::deque<LogRecord> records_;  // with consecutive sequences
  std::uint64_t newest_ = 0;
  std::size_t bytes_ = 0;
  std::mutex listener_mutex_;  // held during a call of the listener
  std::function<void()> listener_;
};

}  // namespace hansa
