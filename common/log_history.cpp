#include "common/log_history.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/text.h"

namespace hansa {
namespace {

void shorten(std::string& text, std::size_t bytes_max) {
  constexpr std::string_view end = "...";
  if (text.size() <= bytes_max) return;
  text.resize(utf8_prefix(text, bytes_max - end.size()));
  text += end;
  text.shrink_to_fit();
}

std::size_t bytes_of(const LogRecord& record) {
  return sizeof record + record.component.size() + record.event.size() + record.message.size() +
         record.client.size() + record.phase.size();
}

}  // namespace

void LogHistory::add(LogRecord record) {
  for (std::string* text : {&record.component, &record.event, &record.client, &record.phase})
    shorten(*text, field_bytes_max);
  shorten(record.message, message_bytes_max);
  {
    const std::lock_guard lock(mutex_);
    record.sequence = ++newest_;
    bytes_ += bytes_of(record);
    records_.push_back(std::move(record));
    while (records_.size() > 1 && (records_.size() > limits_.records || bytes_ > limits_.bytes)) {
      bytes_ -= bytes_of(records_.front());
      records_.pop_front();
    }
  }
  const std::lock_guard lock(listener_mutex_);
  if (listener_) listener_();
}

std::vector<LogRecord> LogHistory::after(std::uint64_t sequence, std::size_t most) const {
  const std::lock_guard lock(mutex_);
  if (sequence >= newest_) return {};
  const std::uint64_t first = newest_ - records_.size() + 1;  // the oldest record's
  const std::uint64_t skipped = sequence < first ? 0 : sequence - first + 1;
  const auto begin = records_.begin() + static_cast<std::ptrdiff_t>(skipped);
  const auto count = std::min<std::uint64_t>(most, records_.size() - skipped);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

std::vector<LogRecord> LogHistory::before(std::uint64_t sequence, std::size_t most) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t first = newest_ - records_.size() + 1;
  if (sequence <= first) return {};
  const std::uint64_t older = std::min<std::uint64_t>(sequence - first, records_.size());
  const auto end = records_.begin() + static_cast<std::ptrdiff_t>(older);
  return {end - static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(most, older)), end};
}

std::uint64_t LogHistory::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

void LogHistory::on_added(std::function<void()> listener) {
  const std::lock_guard lock(listener_mutex_);
  listener_ = std::move(listener);
}

}  // namespace hansa
