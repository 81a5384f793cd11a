#include "server/process/progress_display.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/journal.h"
#include "common/local_time.h"
#include "common/metrics_text.h"
#include "common/text.h"
#include "server/process/internal/panel.h"
#include "server/store/held_out.h"
#include "server/store/training_metrics.h"

namespace hansa::server {
namespace {

constexpr std::size_t rounds_kept = 12;
constexpr std::size_t warnings_kept = 4;
constexpr std::size_t seconds_kept = 101;

internal::TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col <= 20 || size.ws_row < 4) return {};
  return {size.ws_col, size.ws_row};
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <class Queue>
void bound(Queue& queue, std::size_t most) {
  while (queue.size() > most) queue.pop_front();
}

}  // namespace

struct ProgressDisplay::State {
  internal::PanelContent content;
  std::deque<double> round_seconds;
  std::uint32_t rounds = 0;
  std::uint64_t updates = 0;
  std::map<std::string, std::map<std::string, std::uint32_t>> lost;  // outcomes by client
};

ProgressDisplay::ProgressDisplay(ProgressStyle style, std::string title)
    : style_(style), state_(std::make_unique<State>()) {
  state_->content.title = std::move(title);
}

ProgressDisplay::~ProgressDisplay() { end(); }

void ProgressDisplay::update(const Progress& p, std::size_t evaluations, std::uint64_t bytes_up,
                             std::uint64_t bytes_down, Instant now) {
  if (style_ != ProgressStyle::live || now - last_drawn_ < std::chrono::milliseconds(100)) return;
  last_drawn_ = now;
  internal::PanelContent& content = state_->content;
  content.progress = p;
  content.evaluations = evaluations;
  content.bytes_up = bytes_up;
  content.bytes_down = bytes_down;
  draw(internal::panel_lines(content, terminal_size()));
}

void ProgressDisplay::draw(const std::vector<std::string>& lines) {
  erase();
  for (const std::string& line : lines) std::fputs((line + "\n").c_str(), stdout);
  drawn_ = lines.size();
  std::fflush(stdout);
}

void ProgressDisplay::erase() {
  for (; drawn_ > 0; --drawn_) std::fputs("\x1b[1A\x1b[2K", stdout);
}

void ProgressDisplay::take(const RoundRecord& record) {
  internal::PanelContent& content = state_->content;
  content.rounds.push_back({record.round,
                            counted_clients(record),
                            record.participations.size(),
                            record.seconds,
                            training_metrics(record),
                            {},
                            {}});
  bound(content.rounds, rounds_kept);
  if (auto measured = held_out(record)) {
    for (internal::RoundRow& row : content.rounds)
      if (row.round == measured->of_round) row.held_out = means_of(*measured);
    content.held_out = std::move(measured);
  }
  // Only clients of the last rounds stay, so that a large federation's table does not grow without end.
  std::erase_if(content.clients,
                [&](const auto& entry) { return entry.second.round < content.rounds.front().round; });
  for (const Participation& p : record.participations)
    content.clients[p.client] = {record.round, name(p.outcome), p.examples, mean_of(p.metrics, "loss")};
  state_->round_seconds.push_back(record.seconds);
  bound(state_->round_seconds, seconds_kept);
  content.round_seconds = median({state_->round_seconds.begin(), state_->round_seconds.end()});
}

std::string text_of_committed(const RoundRecord& record) {
  std::vector<std::string> lost;
  for (const auto& p : record.participations)
    if (p.outcome != Outcome::counted) lost.push_back(fmt::format("{} ({})", p.client, name(p.outcome)));
  const std::string training = means_text(training_metrics(record));
  return fmt::format("{} of {} clients counted{}, {:.1f} s, model {}{}", counted_clients(record),
                     record.participations.size(), lost.empty() ? "" : ", lost " + internal::join(lost, 6),
                     record.seconds, record.model.brief(), training.empty() ? "" : "; training: " + training);
}

void ProgressDisplay::restored(const RoundRecord& record) { take(record); }

void ProgressDisplay::committed(const RoundRecord& record, std::uint32_t rounds) {
  take(record);
  ++state_->rounds;
  const std::uint32_t counted = counted_clients(record);
  state_->updates += counted;
  for (const auto& p : record.participations)
    if (p.outcome != Outcome::counted) ++state_->lost[p.client][name(p.outcome)];
  if (style_ != ProgressStyle::plain && counted == record.participations.size()) return;
  say(fmt::format("round {:>3}{}: {}", record.round.value, rounds > 0 ? fmt::format(" of {}", rounds) : "",
                  text_of_committed(record)));
  if (const auto measured = held_out(record); measured && style_ == ProgressStyle::plain)
    say(fmt::format("round {:>3}: the model of round {} on the clients' held-out examples: {}",
                    record.round.value, measured->of_round.value, text_of(*measured)));
}

void ProgressDisplay::restored_evaluation(RoundId round, const Metrics& metrics) {
  internal::PanelContent& content = state_->content;
  if (!content.evaluated || round > content.evaluated->first) content.evaluated.emplace(round, metrics);
  for (internal::RoundRow& row : content.rounds)
    if (row.round == round) row.evaluation = metrics;
}

void ProgressDisplay::evaluated(RoundId round, const Metrics& metrics, const std::optional<BestRound>& best) {
  restored_evaluation(round, metrics);
  set_best(best);
  if (style_ == ProgressStyle::plain)
    say(fmt::format("round {:>3} evaluated: {}{}", round.value, means_text(metrics),
                    best && best->round == round ? ", the best so far" : ""));
}

void ProgressDisplay::set_best(const std::optional<BestRound>& best) { state_->content.best = best; }

void ProgressDisplay::warn(const std::string& text) {
  auto& warnings = state_->content.warnings;
  warnings.push_back(clock_text() + " " + text);
  bound(warnings, warnings_kept);
}

void ProgressDisplay::say(const std::string& line) {
  if (style_ == ProgressStyle::none) return;
  erase();
  const bool has_time = ::isatty(STDOUT_FILENO) == 1 || is_journal(STDOUT_FILENO);
  std::puts(((has_time ? "" : local_time_text() + " ") + printable(line)).c_str());
  std::fflush(stdout);
}

void ProgressDisplay::end() {
  erase();
  std::fflush(stdout);
}

RunSummary ProgressDisplay::summary() const {
  const internal::PanelContent& content = state_->content;
  RunSummary out{state_->rounds, state_->updates, {}, {}, content.held_out, {}};
  for (const auto& [client, outcomes] : state_->lost) {
    std::string text;
    for (const auto& [outcome, times] : outcomes)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", outcome, times);
    out.lost.push_back(fmt::format("{} ({})", client, text));
  }
  if (!content.rounds.empty()) out.training = content.rounds.back().training;
  out.warnings.assign(content.warnings.begin(), content.warnings.end());
  return out;
}

}  // namespace hansa::server
