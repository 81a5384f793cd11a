// Log lines for people: "time level component message", one line each, to stderr or a file.
//
// A Logger is a value that is handed down; copies share their output, and any thread may
// use them. Keys, model values and examples are never logged.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

// "debug", "info", "warning", "error" or "off"; location names the source in errors.
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text, std::string_view location);
// What --log-level says; if it is empty, the environment variable HANSA_LOG; else info.
[[nodiscard]] Result<LogLevel> choose_log_level(std::string_view option);

class Logger {
 public:
  // Says nothing: for tests and simulations.
  Logger();
  // component stands in every line: "aggregator", "client", "round".
  [[nodiscard]] static Logger to_stderr(std::string_view component, LogLevel level);
  // Appends. Fails (storage) if the file cannot be opened.
  [[nodiscard]] static Result<Logger> to_file(std::string_view component, LogLevel level,
                                              const std::filesystem::path& file);

  // The same output under another component's name.
  [[nodiscard]] Logger with_component(std::string_view component) const;

  // From here on this logger and all its copies write to the file and no more to stderr:
  // for the time in which a live display owns the terminal.
  [[nodiscard]] Result<void> redirect_to_file(const std::filesystem::path& file) const;
  void redirect_to_stderr() const;

  void debug(std::string_view message) const { write(LogLevel::debug, message); }
  void info(std::string_view message) const { write(LogLevel::info, message); }
  void warning(std::string_view message) const { write(LogLevel::warning, message); }
  void error(std::string_view message) const { write(LogLevel::error, message); }
  [[nodiscard]] bool shows(LogLevel level) const;  // to spare the making of a costly message

 private:
  struct Output;
  // Control characters in the message (a peer may have sent them) are written as '?'.
  void write(LogLevel level, std::string_view message) const;
  std::shared_ptr<Output> output_;  // null: silent
  std::string component_;
};

}  // namespace hansa
