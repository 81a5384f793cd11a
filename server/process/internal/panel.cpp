#include "server/process/internal/panel.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/metrics_text.h"
#include "common/terminal_text.h"
#include "common/text.h"
#include "server/config/rounds.h"

namespace hansa::server::internal {
namespace {

constexpr std::size_t names_max = 6;
constexpr std::size_t metrics_max = 3;  // in a table
constexpr std::size_t rows_min = 3;  // for which a table is worth its title
constexpr std::size_t clients_max = 500;  // above, a screen shows too few of them for a table to help

std::string bytes_text(std::uint64_t bytes) {
  const auto b = static_cast<double>(bytes);
  if (b < 1e3) return fmt::format("{} B", bytes);
  if (b < 1e6) return fmt::format("{:.1f} kB", b / 1e3);
  if (b < 1e9) return fmt::format("{:.1f} MB", b / 1e6);
  return fmt::format("{:.2f} GB", b / 1e9);
}

bool is_in_round(Phase phase) {
  return phase == Phase::in_round || phase == Phase::unmasking || phase == Phase::committing;
}

std::uint32_t counted(const Progress& p) {
  return static_cast<std::uint32_t>(
      std::ranges::count(p.members, round::MemberState::counted, &round::Member::state));
}

// Of all rounds, 0 to 1.
double fraction_done(const Progress& p) {
  const double of_round =
      p.members.empty() ? 0.0 : static_cast<double>(counted(p)) / static_cast<double>(p.members.size());
  if (p.rounds == 0) return is_in_round(p.phase) ? of_round : 0.0;  // without an end: of this round
  const double rounds = is_in_round(p.phase) ? p.round.value - 1.0 + of_round : p.round.value;
  return std::clamp(rounds / p.rounds, 0.0, 1.0);
}

std::string bar_line(const Progress& p, double done) {
  constexpr int width = 30;
  const int filled = static_cast<int>(done * width);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
  return fmt::format("  {} round {}{}", bar, rounds_text(std::max(p.round, RoundId(1)), p.rounds),
                     p.attempt > 1 ? fmt::format(" (attempt {})", p.attempt) : "");
}

std::string waiting_line(const Progress& p) {
  std::vector<std::string> waiting;
  for (const auto& m : p.members) {
    if (m.state == round::MemberState::pending || m.state == round::MemberState::verifying)
      waiting.push_back(m.client);
    else if (m.state != round::MemberState::counted)
      waiting.push_back(m.client + " (" + round::name(m.state) + ")");
  }
  return fmt::format("  clients    {} of {} reported{}", counted(p), p.members.size(),
                     waiting.empty() ? "" : "; waiting for " + join(waiting, names_max));
}

void add_gathering(const Progress& p, std::vector<std::string>& lines) {
  const std::string missing = p.missing.empty() ? "" : "; missing: " + join(p.missing, names_max);
  lines.push_back(fmt::format("  clients    {} connected{}", p.connected, missing));
  if (p.all_rounds_done) return;
  const std::string of = fmt::format("with {} of {} clients", p.ready, std::max(p.expected, p.ready));
  if (p.starts_at && *p.starts_at > p.now)
    lines.push_back(fmt::format("  next       starts in {} {}",
                                duration_text(std::ceil(seconds(*p.starts_at - p.now))), of));
  else if (p.starts_at) lines.push_back("  next       starts now " + of);
  else
    lines.push_back(
        "  next       waits " +
        (p.waits.empty() ? fmt::format("for clients: {} of {} can take part", p.ready, p.needed) : p.waits));
}

void add_held_out(const HeldOut& measured, std::vector<std::string>& lines) {
  lines.push_back(fmt::format("  held out   {}, after round {}", means_text(means_of(measured)),
                              measured.of_round.value));
  for (const HeldOutMetric& metric : measured.metrics)
    if (metric.spread) lines.push_back(fmt::format("  {:<10} {}", metric.name, spread_text(metric)));
}

std::vector<std::string> state_lines(const PanelContent& c) {
  const Progress& p = c.progress;
  const double done = fraction_done(p);
  std::vector<std::string> lines{c.title, bar_line(p, done)};
  if (p.attempt > 1 && !p.retry.empty()) lines.push_back("  retry      because " + p.retry);
  if (p.phase == Phase::finished)
    lines.push_back(fmt::format("  clients    done; {} model{} to evaluate", c.evaluations,
                                c.evaluations == 1 ? "" : "s"));
  else if (p.phase == Phase::gathering) add_gathering(p, lines);
  else lines.push_back(waiting_line(p));
  if (!p.left_out.empty()) lines.push_back("  left out   " + join(p.left_out, names_max));
  if (!p.exchange.empty()) lines.push_back("  sum        " + p.exchange);
  if (!c.rounds.empty())
    if (const std::string training = means_text(c.rounds.back().training); !training.empty())
      lines.push_back(fmt::format("  training   {}, in round {}", training, c.rounds.back().round.value));
  if (c.evaluated)
    lines.push_back(fmt::format("  test       {}, after round {}", means_text(c.evaluated->second),
                                c.evaluated->first.value));
  if (c.held_out) add_held_out(*c.held_out, lines);
  if (c.best) lines.push_back("  best       " + text_of(*c.best));
  lines.push_back(
      fmt::format("  traffic    {} up, {} down", bytes_text(c.bytes_up), bytes_text(c.bytes_down)));
  if (c.round_seconds)
    lines.push_back(fmt::format(
        "  time       {:.1f} s a round{}", *c.round_seconds,
        p.rounds == 0 ? "" : ", " + duration_text(*c.round_seconds * (1.0 - done) * p.rounds) + " to go"));
  return lines;
}

// Columns of equal width, aligned to the right except for the first.
std::string row_text(const std::vector<std::string>& cells, std::size_t first_width) {
  std::string out = fmt::format("  {:<{}}", cells.front(), first_width);
  for (std::size_t i = 1; i < cells.size(); ++i) out += fmt::format("  {:>14}", cells[i]);
  return out;
}

std::vector<std::string> names_of(const Metrics& metrics) {
  std::vector<std::string> out;
  for (const Metric& metric : metrics)
    if (out.size() < metrics_max && metric.name != new_examples_metric) out.push_back(metric.name);
  return out;
}

std::vector<std::string> round_lines(const PanelContent& c, std::size_t rows_max) {
  if (c.rounds.empty() || rows_max < 1 + std::min(rows_min, c.rounds.size())) return {};
  const std::size_t rows = std::min(c.rounds.size(), rows_max - 1);
  const std::vector<std::string> training = names_of(c.rounds.back().training);
  std::vector<std::string> test;
  std::vector<std::string> held_out;
  for (const RoundRow& row : c.rounds) {
    if (!row.evaluation.empty()) test = names_of(row.evaluation);
    if (!row.held_out.empty()) held_out = names_of(row.held_out);
  }
  std::vector<std::string> titles{"round", "counted", "seconds"};
  for (const std::string& name : training) titles.push_back("train " + name);
  for (const std::string& name : test) titles.push_back("test " + name);
  for (const std::string& name : held_out) titles.push_back("held " + name);
  for (std::size_t i = 3; i < titles.size(); ++i) titles[i] = clipped(titles[i], 14);
  std::vector<std::string> out{row_text(titles, 6)};
  for (std::size_t i = c.rounds.size() - rows; i < c.rounds.size(); ++i) {
    const RoundRow& row = c.rounds[i];
    std::vector<std::string> cells{std::to_string(row.round.value),
                                   fmt::format("{} of {}", row.counted, row.selected),
                                   fmt::format("{:.1f}", row.seconds)};
    for (const std::string& name : training) cells.push_back(mean_text(row.training, name));
    for (const std::string& name : test) cells.push_back(mean_text(row.evaluation, name));
    for (const std::string& name : held_out) cells.push_back(mean_text(row.held_out, name));
    out.push_back(row_text(cells, 6));
  }
  return out;
}

// What each client does now: its state in the current round, or why it cannot take part.
std::map<std::string, std::string> present_states(const Progress& p) {
  std::map<std::string, std::string> out;
  for (const std::string& text : p.missing) {
    const std::size_t end = text.find(" (");
    out[text.substr(0, end)] =
        end == std::string::npos ? "absent" : text.substr(end + 2, text.size() - end - 3);
  }
  for (const auto& member : p.members) out[member.client] = round::name(member.state);
  return out;
}

std::vector<std::string> client_lines(const PanelContent& c, std::size_t rows_max) {
  if (c.progress.members.size() + c.progress.missing.size() > clients_max) return {};
  auto present = present_states(c.progress);
  for (const auto& [client, row] : c.clients) present.try_emplace(client, "-");
  if (present.empty() || rows_max < 1 + std::min(rows_min, present.size())) return {};
  const bool all = present.size() < rows_max;
  const std::size_t rows = all ? present.size() : rows_max - 2;
  std::size_t width = 6;
  for (const auto& [client, state] : present)
    width = std::max(width, std::min<std::size_t>(client.size(), 24));
  std::vector<std::string> out{
      row_text({"client", "last round", "outcome", "examples", "train loss", "now"}, width)};
  for (auto at = present.begin(); at != present.end() && out.size() <= rows; ++at) {
    const auto known = c.clients.find(at->first);
    std::vector<std::string> cells{clipped(printable(at->first), 25)};
    if (known == c.clients.end()) cells.insert(cells.end(), {"-", "-", "-", "-"});
    else
      cells.insert(cells.end(), {std::to_string(known->second.round.value), known->second.outcome,
                                 known->second.examples > 0 ? std::to_string(known->second.examples) : "-",
                                 known->second.loss ? fmt::format("{:.4f}", *known->second.loss) : "-"});
    // The last column may be long, and is cut with its line.
    out.push_back(row_text(cells, width) + "  " +
                  (at->second.size() < 14 ? fmt::format("{:>14}", at->second) : at->second));
  }
  if (!all) out.push_back(fmt::format("  and {} more", present.size() - rows));
  return out;
}

}  // namespace

std::string join(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) out += (i > 0 ? ", " : "") + names[i];
  if (names.size() > most) out += fmt::format(" and {} more", names.size() - most);
  return out;
}

std::vector<std::string> panel_lines(const PanelContent& content, const TerminalSize& size) {
  const std::size_t rows = std::max<std::size_t>(size.rows, 2) - 1;  // the cursor is below the panel
  std::vector<std::string> lines = state_lines(content);
  std::size_t left = rows - std::min(rows, lines.size());
  const std::size_t warned = std::min(left, content.warnings.size());
  left -= warned;
  const auto add_table = [&](const std::vector<std::string>& table) {
    if (table.empty()) return;
    lines.emplace_back();
    lines.insert(lines.end(), table.begin(), table.end());
    left -= std::min(left, table.size() + 1);
  };
  add_table(round_lines(content, left > 0 ? std::min<std::size_t>(left - 1, 9) : 0));
  add_table(client_lines(content, left > 0 ? left - 1 : 0));
  if (warned > 0 && left > 0) lines.emplace_back();
  for (std::size_t i = content.warnings.size() - warned; i < content.warnings.size(); ++i)
    lines.push_back("! " + content.warnings[i]);
  if (lines.size() > rows) lines.resize(rows);
  for (std::string& line : lines)
    line = clipped(printable(line), size.columns - 1);  // some texts come from clients
  return lines;
}

}  // namespace hansa::server::internal
