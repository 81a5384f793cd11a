#include "tools/watch_screen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "common/metrics_text.h"
#include "common/text.h"
#include "server/config/rounds.h"
#include "server/output/run_view.h"
#include "server/retention/retention.h"
#include "server/store/held_out.h"
#include "server/store/training_metrics.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using server::Outcome;
using server::RoundRecord;

enum class Tone : std::uint8_t { plain, strong, good, warning, bad, dim };

struct Span {
  std::string text;
  Tone tone = Tone::plain;
};
using Line = std::vector<Span>;

const char* escape_of(Tone tone) {
  switch (tone) {
    case Tone::plain: return "";
    case Tone::strong: return "\x1b[1m";
    case Tone::good: return "\x1b[32m";
    case Tone::warning: return "\x1b[33m";
    case Tone::bad: return "\x1b[31m";
    case Tone::dim: return "\x1b[2m";
  }
  return "";
}

// Characters that are not ASCII become '?'.
std::string ascii(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) out += c;
    else if ((byte & 0xC0U) != 0x80U) out += '?';
  }
  return out;
}

// Cuts at the last column, and adds colours.
std::string rendered(const Line& line, const ScreenStyle& style) {
  std::string out;
  std::size_t left = style.size.columns;
  for (const Span& span : line) {
    if (left == 0) break;
    std::string text = printable(span.text);
    const std::size_t wanted = character_count(text);
    if (wanted > left) text = clipped(text, left);
    if (style.symbols == Symbols::ascii) text = ascii(text);
    left -= std::min(left, wanted);
    const char* escape = style.colours == Colours::some ? escape_of(span.tone) : "";
    out += *escape != '\0' ? escape + text + "\x1b[0m" : text;
  }
  return out;
}

struct Marks {
  const char* full;
  const char* empty;
};
Marks marks(Symbols symbols) { return symbols == Symbols::unicode ? Marks{"█", "░"} : Marks{"#", "."}; }

std::string repeated(const char* text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string bar(double fraction, std::size_t columns, Symbols symbols) {
  const auto filled = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(columns));
  return repeated(marks(symbols).full, filled) + repeated(marks(symbols).empty, columns - filled);
}

Tone tone_of(RunState state) {
  switch (state) {
    case RunState::running:
    case RunState::finished: return Tone::good;
    case RunState::stopped:
    case RunState::empty: return Tone::warning;
    case RunState::unreadable: return Tone::bad;
  }
  return Tone::plain;
}

std::string eta_text(const WatchedRun& run, const WatchModel& model) {
  const auto median = model.median_seconds();
  if (run.state != RunState::running || !run.rounds || *run.rounds == 0 || !median) return "";
  const double left = static_cast<double>(*run.rounds) - model.last_round().value;
  if (left <= 0) return "";
  const double since = model.last_commit() > 0 ? std::max(0.0, run.now - model.last_commit()) : 0.0;
  return fmt::format("   about {} to go", duration_text(std::max(*median * left - since, 0.0)));
}

std::vector<Line> header(const WatchedRun& run, const WatchModel& model, const ScreenStyle& style) {
  std::vector<Line> out;
  out.push_back({{run.run, Tone::strong},
                 {"  federation " + run.federation + "  "},
                 {name(run.state), tone_of(run.state)}});
  if (model.end() && run.state == RunState::finished) out.back().push_back({": " + model.end()->why});
  const std::size_t width = std::min<std::size_t>(30, style.size.columns / 3);
  const bool has_end = run.rounds && *run.rounds > 0;
  const double done = has_end ? model.last_round().value / static_cast<double>(*run.rounds) : 0;
  Line progress{{"  "}};
  if (has_end) progress.push_back({bar(done, width, style.symbols) + " "});
  progress.push_back({fmt::format(
      "round {}{}", server::rounds_text(model.last_round(), run.rounds.value_or(0)), eta_text(run, model))});
  out.push_back(progress);
  return out;
}

// "  accuracy   ▁▂▃▅▇  0.8123 test, best 0.8200 after round 11"
Line course_line(const WatchModel& model, const std::string& metric, std::size_t width, Symbols symbols) {
  const Course course = model.course(metric);
  if (course.points.empty()) return {};
  std::vector<double> values;
  for (const server::SeriesPoint& point : course.points) values.push_back(point.value);
  const bool lower = server::better_of(metric) == server::Better::lower;
  const auto best = lower ? std::ranges::min_element(course.points, {}, &server::SeriesPoint::value)
                          : std::ranges::max_element(course.points, {}, &server::SeriesPoint::value);
  return {{fmt::format("  {:<10} ", metric)},
          {sparkline(values, width, symbols), Tone::good},
          {fmt::format(" {:.4f} {}", values.back(), course.source)},
          {fmt::format(", best {:.4f} after round {}", best->value, best->round.value), Tone::dim}};
}

Line seconds_line(const WatchModel& model, std::size_t width, Symbols symbols) {
  const auto& all = model.round_seconds();
  if (all.empty()) return {};
  return {{fmt::format("  {:<10} ", "seconds")},
          {sparkline(all, width, symbols), Tone::dim},
          {fmt::format(" {:.1f} s the last round, median {:.1f} s", all.back(), *model.median_seconds())}};
}

std::vector<Line> courses(const WatchModel& model, const ScreenStyle& style) {
  std::vector<Line> out;
  const std::size_t width =
      std::clamp<std::size_t>(style.size.columns - std::min<std::size_t>(style.size.columns, 58), 8, 100);
  for (const char* metric : {"accuracy", "loss"})
    if (Line line = course_line(model, metric, width, style.symbols); !line.empty())
      out.push_back(std::move(line));
  if (Line line = seconds_line(model, width, style.symbols); !line.empty()) out.push_back(std::move(line));
  if (!model.last_rounds().empty())
    out.push_back(
        {{fmt::format("  traffic    {} up, {} down",
                      bytes_text(static_cast<std::uint64_t>(std::min(model.bytes_up(), 1e18))),
                      bytes_text(static_cast<std::uint64_t>(std::min(model.bytes_down(), 1e18))))}});
  return out;
}

std::string cell(const Metrics* metrics, const std::string& metric) {
  return metrics == nullptr ? "-" : mean_text(*metrics, metric);
}

// The last rounds, the newest first, each with a bar of how long it took, the loss of the training, and the accuracy of
// the evaluation.
std::vector<Line> rounds_table(const WatchModel& model, const ScreenStyle& style, std::size_t rows) {
  const auto& rounds = model.last_rounds();
  if (rounds.empty() || rows < 2) return {};
  std::vector<Line> out{{{fmt::format("  {:>6} {:>11} {:>8} {:<6} {:>7} {:>7}  {}", "round", "counted",
                                      "seconds", "", "loss", "test", "lost"),
                          Tone::dim}}};
  double longest = 0;
  const std::size_t shown = std::min(rows - 1, rounds.size());
  for (std::size_t i = 0; i < shown; ++i) longest = std::max(longest, rounds[rounds.size() - 1 - i].seconds);
  for (std::size_t i = 0; i < shown; ++i) {
    const RoundRecord& record = rounds[rounds.size() - 1 - i];
    const std::uint32_t counted = server::counted_clients(record);
    const Metrics training = server::training_metrics(record);
    const bool lost = counted < record.participations.size();
    out.push_back({{fmt::format("  {:>6} ", record.round.value)},
                   {fmt::format("{:>11} ", fmt::format("{} of {}", counted, record.participations.size())),
                    lost ? Tone::warning : Tone::plain},
                   {fmt::format("{:>8.1f} ", record.seconds)},
                   {bar(longest > 0 ? record.seconds / longest : 0, 6, style.symbols) + " ", Tone::dim},
                   {fmt::format("{:>7} {:>7}  ", mean_text(training, "loss"),
                                cell(model.evaluation(record.round), "accuracy"))},
                   {server::lost_text(record), Tone::warning}});
  }
  return out;
}

// A character for what became of a client in a round.
const char* mark_of(Outcome outcome, Symbols symbols) {
  switch (outcome) {
    case Outcome::counted: return symbols == Symbols::unicode ? "■" : "#";
    case Outcome::no_answer: return "n";
    case Outcome::disconnected: return "x";
    case Outcome::declined: return "d";
    case Outcome::rejected: return "r";
    case Outcome::late: return "l";
  }
  return "?";
}

struct ClientHistory {
  std::vector<const server::Participation*> rounds;  // null: not selected
  std::size_t lost = 0;
  const server::Participation* last_lost = nullptr;
  RoundId last_lost_round;
};

std::vector<Line> clients_table(const WatchModel& model, const ScreenStyle& style, std::size_t rows) {
  constexpr std::size_t rounds_most = 30;
  const auto& rounds = model.last_rounds();
  if (rounds.empty() || rows < 2) return {};
  const std::size_t columns =
      std::min({rounds.size(), rounds_most, std::max<std::size_t>(style.size.columns / 5, 8)});
  std::map<std::string, ClientHistory> clients;
  for (std::size_t i = 0; i < columns; ++i) {
    const RoundRecord& record = rounds[rounds.size() - columns + i];
    for (const server::Participation& p : record.participations) {
      ClientHistory& client = clients[p.client];
      client.rounds.resize(columns);
      client.rounds[i] = &p;
      if (p.outcome == Outcome::counted) continue;
      ++client.lost;
      client.last_lost = &p;
      client.last_lost_round = record.round;
    }
  }
  std::vector<std::pair<std::string, const ClientHistory*>> order;
  for (const auto& [client, history] : clients) order.emplace_back(client, &history);
  // Those that were lost come first, because there may be more than fit.
  std::ranges::stable_sort(order,
                           [](const auto& a, const auto& b) { return a.second->lost > b.second->lost; });
  const std::string title = fmt::format("last {} rounds", columns);
  const std::size_t width = std::max(columns, title.size());
  std::vector<Line> out{
      {{fmt::format("  {:<20} {:<{}}  {}", "client", title, width, "last lost"), Tone::dim}}};
  const bool all = order.size() <= rows - 1;
  const std::size_t shown = all ? order.size() : rows - 2;
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [client, history] = order[i];
    std::string row;
    for (const server::Participation* p : history->rounds)
      row +=
          p == nullptr ? (style.symbols == Symbols::unicode ? "·" : ".") : mark_of(p->outcome, style.symbols);
    const std::string label = clipped(printable(client), 20);
    Line line{
        {"  " + label + std::string(21 - std::min<std::size_t>(character_count(label), 20), ' ')},
        {row + std::string(width - columns, ' ') + "  ", history->lost > 0 ? Tone::warning : Tone::good}};
    if (const auto* p = history->last_lost)
      line.push_back(
          {fmt::format("round {}: {}{}", history->last_lost_round.value, server::outcome_text(p->outcome),
                       p->reason.empty() ? "" : " (" + p->reason + ")")});
    out.push_back(std::move(line));
  }
  if (!all) out.push_back({{fmt::format("  and {} more", order.size() - shown), Tone::dim}});
  return out;
}

std::vector<Line> warnings(const WatchModel& model, std::size_t rows) {
  std::vector<Line> out;
  const auto& all = model.abandoned();
  for (std::size_t i = all.size() - std::min(rows, all.size()); i < all.size(); ++i)
    out.push_back({{fmt::format("! {}  round {}, attempt {} was abandoned: {}", all[i].at, all[i].round.value,
                                all[i].attempt, all[i].reason),
                    Tone::warning}});
  return out;
}

}  // namespace

std::string sparkline(const std::vector<double>& values, std::size_t columns, Symbols symbols) {
  static constexpr std::array<const char*, 8> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<const char*, 8> characters{"_", ".", ",", "-", "=", "+", "*", "#"};
  const auto& levels = symbols == Symbols::unicode ? blocks : characters;
  const std::size_t width = std::min(columns, values.size());
  std::vector<double> means;
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t from = i * values.size() / width, to = (i + 1) * values.size() / width;
    double sum = 0;
    for (std::size_t at = from; at < to; ++at) sum += values[at] / static_cast<double>(to - from);
    means.push_back(sum);
  }
  if (means.empty()) return "";
  const auto [least, most] = std::ranges::minmax_element(means);
  const double range = *most - *least;
  std::string out;
  for (const double mean : means) {
    const double level = range > 0 ? (mean - *least) / range * static_cast<double>(levels.size() - 1) : 0;
    out += levels[std::min(static_cast<std::size_t>(std::lround(std::max(level, 0.0))), levels.size() - 1)];
  }
  return out;
}

std::vector<std::string> watch_lines(const WatchedRun& run, const WatchModel& model,
                                     const ScreenStyle& style) {
  const std::size_t rows = std::max<std::size_t>(style.size.rows, 1);
  std::vector<Line> lines = header(run, model, style);
  const auto add = [&](std::vector<Line> more) {
    lines.insert(lines.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  if (model.last_rounds().empty()) lines.push_back({{"  no round is committed yet"}});
  add(courses(model, style));
  // The warnings and the last line have their place.
  const std::vector<Line> warned = warnings(model, std::min<std::size_t>(rows / 8, 5));
  const std::size_t fixed = lines.size() + warned.size() + (warned.empty() ? 0 : 1) + 1;
  const std::size_t left = rows - std::min(rows, fixed);
  const auto add_table = [&](std::vector<Line> table) {
    if (table.empty()) return;
    lines.emplace_back();
    add(std::move(table));
  };
  if (left > 4) {
    // The table of rounds takes what that of the clients does not need, and at least half.
    const std::vector<Line> clients = clients_table(model, style, left / 2 - 1);
    add_table(rounds_table(model, style, left - 1 - (clients.empty() ? 0 : clients.size() + 1)));
    add_table(clients);
  }
  if (!warned.empty()) {
    lines.emplace_back();
    add(warned);
  }
  if (lines.size() + 1 > rows) lines.resize(rows > 1 ? rows - 1 : 1);
  lines.resize(std::max(lines.size(), rows - 1));
  if (rows > 1)
    lines.push_back({{fmt::format("q: quit   {} counted, n no answer, x gone, d declined, r rejected, l late",
                                  mark_of(Outcome::counted, style.symbols)),
                      Tone::dim}});
  std::vector<std::string> out;
  for (const Line& line : lines) out.push_back(rendered(line, style));
  return out;
}

std::vector<std::string> waiting_lines(const std::string& runs, const ScreenStyle& style) {
  const std::size_t rows = std::max<std::size_t>(style.size.rows, 1);
  std::vector<Line> lines{{{"no run has begun", Tone::strong}},
                          {{"  in " + runs}},
                          {},
                          {{"  waiting for hansa-aggregator to begin one", Tone::dim}}};
  lines.resize(rows > 1 ? rows - 1 : 1);
  if (rows > 1) lines.push_back({{"q: quit", Tone::dim}});
  std::vector<std::string> out;
  for (const Line& line : lines) out.push_back(rendered(line, style));
  return out;
}

std::string round_sentence(const RoundRecord& record, const std::optional<std::uint32_t>& rounds) {
  const std::string training = means_text(server::training_metrics(record));
  const std::string lost = server::lost_text(record);
  std::string out =
      fmt::format("round {}: {} of {} clients counted, {:.1f} s{}{}",
                  server::rounds_text(record.round, rounds.value_or(0)), server::counted_clients(record),
                  record.participations.size(), record.seconds,
                  training.empty() ? "" : "; training: " + training, lost.empty() ? "" : "; lost: " + lost);
  if (const auto measured = server::held_out(record))
    out += fmt::format("; held out, after round {}: {}", measured->of_round.value,
                       means_text(server::means_of(*measured)));
  return printable(out);
}

}  // namespace hansa::tools
