// The live panel as lines of text. Pure: the terminal's size and the time are given, nothing is read or written.
//
// The state of the run comes first. Below it the last rounds, the clients and the last warnings, as far as the height
// reaches: warnings are the last to be left out.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/terminal_text.h"
#include "common/training.h"
#include "server/coordinator/progress.h"
#include "server/divergence/best_round.h"
#include "server/store/held_out.h"

namespace hansa::server::internal {

using hansa::TerminalSize;

struct RoundRow {
  RoundId round;
  std::uint32_t counted = 0;
  std::size_t selected = 0;
  double seconds = 0;
  Metrics training;
  Metrics evaluation;  // empty: not evaluated
  Metrics held_out;  // what the clients of the next round measured of this round's model
};

// What the last rounds say about a client.
struct ClientRow {
  RoundId round;  // the last one for which it was selected
  std::string outcome;  // "counted", "rejected"
  std::uint64_t examples = 0;
  std::optional<double> loss;
};

struct PanelContent {
  std::string title;
  Progress progress;
  std::size_t evaluations = 0;  // models that are still to be evaluated
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  std::deque<RoundRow> rounds;  // the last ones, in order
  std::map<std::string, ClientRow> clients;
  std::deque<std::string> warnings;  // the last ones, in order
  std::optional<std::pair<RoundId, Metrics>> evaluated;  // the newest evaluated round
  std::optional<HeldOut> held_out;  // what clients measured last
  std::optional<BestRound> best;
  std::optional<double> round_seconds;  // median
};

// The number of rows is below size.rows, and no line is longer than size.columns - 1 characters.
[[nodiscard]] std::vector<std::string> panel_lines(const PanelContent& content, const TerminalSize& size);

// The first names, and how many more.
[[nodiscard]] std::string join(const std::vector<std::string>& names, std::size_t most);

}  // namespace hansa::server::internal
