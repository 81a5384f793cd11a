// One line of the log as a value: what the text on a terminal, the JSON lines and a display of the log are made from.
// Keys, model values and examples are in none of its fields.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/identifiers.h"

namespace hansa {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

// "debug", "info", "warning", "error", "off"
[[nodiscard]] std::string_view name(LogLevel level) noexcept;

// Every text is one line of valid UTF-8 without control characters, whatever a peer sent: common/text.h, printable.
struct LogRecord {
  std::uint64_t sequence = 0;  // from 1 without gaps, given by the history; 0: in no history
  std::chrono::sys_time<std::chrono::milliseconds> time;
  LogLevel level = LogLevel::info;
  std::string component;  // the part of the program: "aggregator", "client"
  std::string event;  // a name of docs/logs.md, such as "round.committed"; empty: the line is text only
  std::string message;
  std::optional<RoundId> round;
  std::string client;  // the client that the line is about; empty: none
  std::string phase;  // what the program was doing: docs/logs.md; empty: not known

  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

// One object of JSON without a line break: time (RFC 3339 in UTC with milliseconds), level, component, event, message,
// round, client, phase, in this order. What is not known is absent, and so is the sequence.
[[nodiscard]] std::string json_text(const LogRecord& record);

}  // namespace hansa
