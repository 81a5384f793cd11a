// The screen of `hansa watch` as lines of text. Pure: the terminal's size and the time are given, nothing is read or
// written. Texts of clients are escaped.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/terminal_text.h"
#include "tools/run_list.h"
#include "tools/watch_model.h"

namespace hansa::tools {

struct WatchedRun {
  std::string federation;
  std::string run;
  RunState state = RunState::empty;
  std::optional<std::uint32_t> rounds;  // of the whole run; 0: without an end; empty: not known
  double now = 0;  // seconds since 1970
};

enum class Colours : std::uint8_t { none, some };
enum class Symbols : std::uint8_t { ascii, unicode };
struct ScreenStyle {
  TerminalSize size;
  Colours colours = Colours::none;
  Symbols symbols = Symbols::ascii;
};

// At most size.rows lines of at most size.columns columns, escape sequences of colours not counted. Without colours the
// lines have no escape sequence, with Symbols::ascii no byte above 0x7e.
[[nodiscard]] std::vector<std::string> watch_lines(const WatchedRun& run, const WatchModel& model,
                                                   const ScreenStyle& style);

// The same while no run has begun in the folder of runs.
[[nodiscard]] std::vector<std::string> waiting_lines(const std::string& runs, const ScreenStyle& style);

// A curve of this many characters at most, from the values' least to their greatest; each is the mean of its values.
// Values are finite.
[[nodiscard]] std::string sparkline(const std::vector<double>& values, std::size_t columns, Symbols symbols);

// One line about a round, for where there is no terminal.
[[nodiscard]] std::string round_sentence(const server::RoundRecord& record,
                                         const std::optional<std::uint32_t>& rounds);

}  // namespace hansa::tools
