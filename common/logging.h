// Log lines for people: "time level component message", to stderr or to a file. If stderr is the journal of systemd:
// "<priority>component message" (journal.h).
//
// A Logger is a value that is passed down. Copies share their output. Thread-safe. Keys, model values and examples are
// never logged.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

// Accepts "debug", "info", "warning", "error" or "off". The location is that of the error.
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text, std::string_view location);
// The value of --log-level; if it is empty, that of the environment variable HANSA_LOG; if that is empty too, info.
[[nodiscard]] Result<LogLevel> choose_log_level(std::string_view option);

class Logger {
 public:
  // Discards every line. For tests and simulations.
  Logger();
  // The component is written in every line: "aggregator", "client", "round".
  [[nodiscard]] static Logger to_stderr(std::string_view component, LogLevel level);
  // Appends to the file. Fails with `storage` if it cannot be opened.
  [[nodiscard]] static Result<Logger> to_file(std::string_view component, LogLevel level,
                                              const std::filesystem::path& file);

  // The same output under another component's name.
  [[nodiscard]] Logger with_component(std::string_view component) const;

  // Makes this logger and all its copies write to the file instead of stderr, for example while a live display uses
  // the terminal.
  [[nodiscard]] Result<void> redirect_to_file(const std::filesystem::path& file) const;

  void debug(std::string_view message) const { write(LogLevel::debug, message); }
  void info(std::string_view message) const { write(LogLevel::info, message); }
  void warning(std::string_view message) const { write(LogLevel::warning, message); }
  void error(std::string_view message) const { write(LogLevel::error, message); }
  [[nodiscard]] bool shows(LogLevel level) const;  // lets a caller skip formatting a costly message

 private:
  struct Output;
  // What may harm a terminal in the message (a peer may have sent it) is escaped: common/text.h.
  void write(LogLevel level, std::string_view message) const;
  std::shared_ptr<Output> output_;  // null: silent
  std::string component_;
};

}  // namespace hansa
