#include "common/logging.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/journal.h"
#include "common/log_history.h"
#include "common/text.h"

namespace hansa {
namespace {

// The time is RFC 3339 with milliseconds and offset, so that lines of several machines and processes can be merged.
constexpr const char* text_pattern = "%Y-%m-%dT%H:%M:%S.%e%z %-7l %v";
constexpr std::array log_levels{LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error,
                                LogLevel::off};

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

Result<spdlog::sink_ptr> open_file_sink(const std::filesystem::path& file) {
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  } catch (const spdlog::spdlog_ex& exception) {
    return fail(ErrorCode::storage, file.string(),
                std::string("cannot be opened for log lines (") + exception.what() + ")");
  }
}

std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<LogFormat> parse_log_format(std::string_view text, std::string_view location) {
  if (text == "text") return LogFormat::text;
  if (text == "json") return LogFormat::json;
  return fail(ErrorCode::usage, std::string(location), "\"" + std::string(text) + "\" is not a log format",
              "use text or json");
}

// The journal knows the time, and reads the level as a priority in front of the line.
enum class Destination : std::uint8_t { own, journal };

}  // namespace

struct Logger::Output {
  const LogFormat format;
  const LogLevel level;
  std::shared_ptr<spdlog::sinks::dist_sink_mt> sink;
  spdlog::logger logger;
  std::atomic<bool> to_journal;
  std::atomic<LogLevel> history_level{LogLevel::off};  // is set after the history, which does not change then
  std::shared_ptr<LogHistory> history;

  Output(spdlog::sink_ptr first, LogLevel from, LogFormat lines, Destination destination)
      : format(lines),
        level(from),
        sink(std::make_shared<spdlog::sinks::dist_sink_mt>(std::vector<spdlog::sink_ptr>{std::move(first)})),
        logger("hansa", sink),
        to_journal(destination == Destination::journal) {
    logger.set_pattern(pattern());
    logger.set_level(to_spdlog(from));
    logger.flush_on(spdlog::level::debug);
  }

  // Component and message are written together: the component changes from line to line.
  [[nodiscard]] const char* pattern() const {
    return format == LogFormat::json || to_journal ? "%v" : text_pattern;
  }
  [[nodiscard]] bool shows(LogLevel line) const { return line >= level; }
  [[nodiscard]] bool keeps(LogLevel line) const { return line >= history_level; }
  // who: the first word of a line of text.
  void show(const LogRecord& record, std::string_view who) {
    std::string line(to_journal ? journal_priority(record.level) : "");
    if (format == LogFormat::json) line += json_text(record);
    else line.append(who).append(" ").append(record.message);
    logger.log(record.time, {}, to_spdlog(record.level), line);
  }
};

Result<LogLevel> parse_log_level(std::string_view text, std::string_view location) {
  for (const LogLevel level : log_levels)
    if (name(level) == text) return level;
  return fail(ErrorCode::usage, std::string(location), "\"" + std::string(text) + "\" is not a log level",
              "use debug, info, warning, error or off");
}

Result<LogLevel> choose_log_level(std::string_view option) {
  if (!option.empty()) return parse_log_level(option, "--log-level");
  if (const std::string text = environment_variable("HANSA_LOG"); !text.empty())
    return parse_log_level(text, "HANSA_LOG");
  return LogLevel::info;
}

Result<LogFormat> choose_log_format(std::string_view option) {
  if (option.empty()) {
    const std::string text = environment_variable("HANSA_LOG_FORMAT");
    return text.empty() ? LogFormat::text : parse_log_format(text, "HANSA_LOG_FORMAT");
  }
  HANSA_TRY(const auto format, parse_log_format(option, "--log-format"));
  ::setenv("HANSA_LOG_FORMAT", std::string(option).c_str(), 1);
  return format;
}

Logger::Logger() = default;

Logger Logger::to_stderr(std::string_view component, LogLevel level, LogFormat format) {
  Logger out;
  out.output_ = std::make_shared<Output>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level, format,
                                         is_journal(STDERR_FILENO) ? Destination::journal : Destination::own);
  out.component_ = component;
  return out;
}

Result<Logger> Logger::to_file(std::string_view component, LogLevel level, const std::filesystem::path& file,
                               LogFormat format) {
  HANSA_TRY(auto sink, open_file_sink(file));
  Logger out;
  out.output_ = std::make_shared<Output>(std::move(sink), level, format, Destination::own);
  out.component_ = component;
  return out;
}

Logger Logger::with_component(std::string_view component) const {
  Logger out = *this;
  out.component_ = component;
  return out;
}

Logger Logger::with_client(std::string_view client) const {
  Logger out = *this;
  out.client_ = client;
  return out;
}

void Logger::attach(std::shared_ptr<LogHistory> history, LogLevel level) const {
  if (!output_ || output_->history) return;
  output_->history = std::move(history);
  output_->history_level = std::min(level, output_->level);
}

Result<void> Logger::redirect_to_file(const std::filesystem::path& file) const {
  if (!output_) return {};
  HANSA_TRY(auto sink, open_file_sink(file));
  output_->to_journal = false;
  sink->set_pattern(output_->pattern());
  output_->sink->set_sinks({std::move(sink)});
  return {};
}

bool Logger::shows(LogLevel level) const {
  return output_ && level < LogLevel::off && (output_->shows(level) || output_->keeps(level));
}

LogRecord Logger::record_of(LogLevel level, std::string_view message, const LogFields& fields) const {
  LogRecord out;
  out.time = std::chrono::floor<std::chrono::milliseconds>(spdlog::log_clock::now());
  out.level = level;
  out.component = printable(component_);
  out.event = name(fields.event);
  out.message = printable(message);
  out.round = fields.round;
  out.client = printable(fields.client.empty() ? client_ : fields.client);
  out.phase = printable(fields.phase);
  return out;
}

void Logger::write(LogLevel level, std::string_view message, const LogFields& fields) const {
  if (!shows(level)) return;
  LogRecord record = record_of(level, message, fields);
  if (output_->shows(level)) output_->show(record, client_.empty() ? component_ : client_);
  if (output_->keeps(level)) output_->history->add(std::move(record));
}

void Logger::note(std::string_view message, const LogFields& fields) const {
  if (!output_) return;
  const LogLevel shown = output_->format == LogFormat::text ? LogLevel::debug : LogLevel::info;
  const bool is_shown = output_->shows(shown), is_kept = output_->keeps(LogLevel::info);
  if (!is_shown && !is_kept) return;
  LogRecord record = record_of(shown, message, fields);
  if (is_shown) output_->show(record, client_.empty() ? component_ : client_);
  record.level = LogLevel::info;
  if (is_kept) output_->history->add(std::move(record));
}

}  // namespace hansa
