// Log lines, to stderr or to a file: for people "time level component message", for programs one object of JSON a line
// (log_record.h). If stderr is the journal of systemd, a line begins with "<priority>" and the text has neither time nor
// level (journal.h). Both are made from a LogRecord, which a LogHistory may get as well. docs/logs.md describes them.
//
// A Logger is a value that is passed down. Copies share their output. Thread-safe. Keys, model values and examples are
// never logged.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/identifiers.h"
#include "common/log_events.h"
#include "common/log_record.h"

namespace hansa {

class LogHistory;

enum class LogFormat : std::uint8_t { text, json };

// Accepts "debug", "info", "warning", "error" or "off". The location is that of the error.
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text, std::string_view location);
// The value of --log-level; if it is empty, that of the environment variable HANSA_LOG; if that is empty too, info.
[[nodiscard]] Result<LogLevel> choose_log_level(std::string_view option);
// The value of --log-format, "text" or "json"; if it is empty, that of HANSA_LOG_FORMAT; if that is empty too, text.
// The choice is left in HANSA_LOG_FORMAT, for child processes and for the report of a final error (program.h): call it
// before threads start.
[[nodiscard]] Result<LogFormat> choose_log_format(std::string_view option);

// What a line is about, for whoever filters lines. Empty: not known. Views are read during the call only.
struct LogFields {
  LogEvent event = LogEvent::none;
  std::optional<RoundId> round = {};
  std::string_view client = {};
  std::string_view phase = {};
};

class Logger {
 public:
  // Discards every line. For tests and simulations.
  Logger();
  // The component is written in every line: "aggregator", "client", "round".
  [[nodiscard]] static Logger to_stderr(std::string_view component, LogLevel level,
                                        LogFormat format = LogFormat::text);
  // Appends to the file. Fails with `storage` if it cannot be opened.
  [[nodiscard]] static Result<Logger> to_file(std::string_view component, LogLevel level,
                                              const std::filesystem::path& file,
                                              LogFormat format = LogFormat::text);

  // The same output under another component's name.
  [[nodiscard]] Logger with_component(std::string_view component) const;
  // The same output for lines about this client, unless their fields name another one. Text has the client's name in
  // the component's place.
  [[nodiscard]] Logger with_client(std::string_view client) const;

  // From now on the history gets every record of this logger and its copies that the output shows, and those from
  // `level` on in any case, also if nothing is shown (LogLevel::off). Attach one history, once.
  void attach(std::shared_ptr<LogHistory> history, LogLevel level = LogLevel::info) const;

  // Makes this logger and all its copies write to the file instead of stderr, for example while a live display uses
  // the terminal.
  [[nodiscard]] Result<void> redirect_to_file(const std::filesystem::path& file) const;

  void debug(std::string_view message, const LogFields& fields = {}) const {
    write(LogLevel::debug, message, fields);
  }
  void info(std::string_view message, const LogFields& fields = {}) const {
    write(LogLevel::info, message, fields);
  }
  void warning(std::string_view message, const LogFields& fields = {}) const {
    write(LogLevel::warning, message, fields);
  }
  void error(std::string_view message, const LogFields& fields = {}) const {
    write(LogLevel::error, message, fields);
  }
  // A line for programs, which people see elsewhere, such as on the progress display: text has it as one of level
  // debug, and JSON lines and the history as one of level info.
  void note(std::string_view message, const LogFields& fields) const;
  // level: below off. What may harm a terminal in the texts (a peer may have sent them) is escaped: common/text.h.
  void write(LogLevel level, std::string_view message, const LogFields& fields = {}) const;
  // Whether such a line is written or kept: lets a caller skip formatting a costly message.
  [[nodiscard]] bool shows(LogLevel level) const;

 private:
  struct Output;
  [[nodiscard]] LogRecord record_of(LogLevel level, std::string_view message, const LogFields& fields) const;
  std::shared_ptr<Output> output_;  // null: silent
  std::string component_;
  std::string client_;  // of lines that name none
};

}  // namespace hansa
