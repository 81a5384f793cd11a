#include "common/logging.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <utility>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/journal.h"
#include "common/text.h"

namespace hansa {
namespace {

// The time is RFC 3339 with milliseconds and offset, so that lines of several machines and processes can be merged.
constexpr const char* line_pattern = "%Y-%m-%dT%H:%M:%S.%e%z %-7l %v";
constexpr std::array<std::pair<std::string_view, LogLevel>, 5> level_names{{{"debug", LogLevel::debug},
                                                                            {"info", LogLevel::info},
                                                                            {"warning", LogLevel::warning},
                                                                            {"error", LogLevel::error},
                                                                            {"off", LogLevel::off}}};

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

// The journal knows the time, and reads the level as a priority in front of the line.
enum class LineStyle : std::uint8_t { own, journal };

}  // namespace

struct Logger::Output {
  std::shared_ptr<spdlog::sinks::dist_sink_mt> sink;
  spdlog::logger logger;
  std::atomic<bool> to_journal;

  Output(spdlog::sink_ptr first, LogLevel level, LineStyle style)
      : sink(std::make_shared<spdlog::sinks::dist_sink_mt>(std::vector<spdlog::sink_ptr>{std::move(first)})),
        logger("hansa", sink),
        to_journal(style == LineStyle::journal) {
    // Component and message are written together: the component changes from line to line.
    logger.set_pattern(style == LineStyle::journal ? "%v" : line_pattern);
    logger.set_level(to_spdlog(level));
    logger.flush_on(spdlog::level::debug);
  }
};

Result<LogLevel> parse_log_level(std::string_view text, std::string_view location) {
  for (const auto& [name, level] : level_names)
    if (name == text) return level;
  return fail(ErrorCode::usage, std::string(location), "\"" + std::string(text) + "\" is not a log level",
              "use debug, info, warning, error or off");
}

Result<LogLevel> choose_log_level(std::string_view option) {
  if (!option.empty()) return parse_log_level(option, "--log-level");
  const char* environment = std::getenv("HANSA_LOG");
  if (environment != nullptr && *environment != '\0') return parse_log_level(environment, "HANSA_LOG");
  return LogLevel::info;
}

Logger::Logger() = default;

Logger Logger::to_stderr(std::string_view component, LogLevel level) {
  Logger out;
  out.output_ = std::make_shared<Output>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level,
                                         is_journal(STDERR_FILENO) ? LineStyle::journal : LineStyle::own);
  out.component_ = component;
  return out;
}

Result<Logger> Logger::to_file(std::string_view component, LogLevel level,
                               const std::filesystem::path& file) {
  HANSA_TRY(auto sink, open_file_sink(file));
  Logger out;
  out.output_ = std::make_shared<Output>(std::move(sink), level, LineStyle::own);
  out.component_ = component;
  return out;
}

Logger Logger::with_component(std::string_view component) const {
  Logger out = *this;
  out.component_ = component;
  return out;
}

Result<void> Logger::redirect_to_file(const std::filesystem::path& file) const {
  if (!output_) return {};
  HANSA_TRY(auto sink, open_file_sink(file));
  sink->set_pattern(line_pattern);
  output_->to_journal = false;
  output_->sink->set_sinks({std::move(sink)});
  return {};
}

bool Logger::shows(LogLevel level) const { return output_ && output_->logger.should_log(to_spdlog(level)); }

void Logger::write(LogLevel level, std::string_view message) const {
  if (!shows(level)) return;
  const std::string priority(output_->to_journal ? journal_priority(level) : "");
  const std::string line = priority + component_ + " " + printable(message);
  output_->logger.log(to_spdlog(level), "{}", line);
}

}  // namespace hansa
