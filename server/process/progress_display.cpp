#include "server/process/progress_display.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/metrics_text.h"
#include "common/text.h"

namespace hansa::server {
namespace {

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20) return size.ws_col;
  return 100;
}

std::string join(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) out += (i > 0 ? ", " : "") + names[i];
  if (names.size() > most) out += fmt::format(" and {} more", names.size() - most);
  return out;
}

std::string duration_text(double s) {
  const auto total = std::lround(s);
  if (total < 60) return fmt::format("{} s", total);
  if (total < 3600) return fmt::format("{} min {:02} s", total / 60, total % 60);
  return fmt::format("{} h {:02} min", total / 3600, total % 3600 / 60);
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  const auto b = static_cast<double>(bytes);
  if (b < 1e3) return fmt::format("{} B", bytes);
  if (b < 1e6) return fmt::format("{:.1f} kB", b / 1e3);
  if (b < 1e9) return fmt::format("{:.1f} MB", b / 1e6);
  return fmt::format("{:.2f} GB", b / 1e9);
}

ProgressDisplay::ProgressDisplay(ProgressStyle style, std::string title)
    : style_(style), title_(std::move(title)) {}

ProgressDisplay::~ProgressDisplay() { end(); }

void ProgressDisplay::update(const Progress& p, std::size_t evaluations, std::uint64_t bytes_up,
                             std::uint64_t bytes_down, Instant now) {
  if (style_ == ProgressStyle::none) return;
  std::vector<std::string> waiting;
  std::uint32_t counted = 0;
  for (const auto& m : p.members) {
    if (m.state == round::MemberState::counted) ++counted;
    else if (m.state == round::MemberState::pending || m.state == round::MemberState::verifying)
      waiting.push_back(m.client);
    else waiting.push_back(m.client + " (" + round::name(m.state) + ")");
  }
  if (style_ == ProgressStyle::plain) {
    std::string line;
    if (p.phase == Phase::gathering && p.round.value < p.rounds && !p.missing.empty() &&
        p.waited > std::chrono::seconds(2))
      line = fmt::format("waiting for clients: {} connected, missing {}", p.connected, join(p.missing, 8));
    if (!line.empty() && line != last_plain_) {
      std::puts(printable(line).c_str());
      std::fflush(stdout);
    }
    if (!line.empty()) last_plain_ = line;
    return;
  }
  if (now - last_drawn_ < std::chrono::milliseconds(100)) return;
  last_drawn_ = now;
  std::vector<std::string> lines;
  const double done =
      p.rounds == 0 ? 1.0
      : (p.phase == Phase::in_round || p.phase == Phase::unmasking || p.phase == Phase::committing)
          ? (static_cast<double>(p.round.value) - 1.0 +
             (p.members.empty() ? 0.0 : counted / static_cast<double>(p.members.size()))) /
                p.rounds
          : static_cast<double>(p.round.value) / p.rounds;
  constexpr int bar_width = 30;
  const int filled = static_cast<int>(done * bar_width);
  std::string bar;
  for (int i = 0; i < bar_width; ++i) bar += i < filled ? "█" : "░";
  lines.push_back(title_);
  lines.push_back(fmt::format("  {} round {} of {}{}", bar, std::max<std::uint32_t>(p.round.value, 1),
                              p.rounds, p.attempt > 1 ? fmt::format(" (attempt {})", p.attempt) : ""));
  if (p.phase == Phase::finished)
    lines.push_back(
        fmt::format("  clients    done; {} model{} to evaluate", evaluations, evaluations == 1 ? "" : "s"));
  else if (p.phase == Phase::gathering)
    lines.push_back(fmt::format("  clients    {} connected{}", p.connected,
                                p.missing.empty() ? "" : "; waiting for " + join(p.missing, 6)));
  else
    lines.push_back(fmt::format("  clients    {} of {} reported{}", counted, p.members.size(),
                                waiting.empty() ? "" : "; waiting for " + join(waiting, 6)));
  if (!p.left_out.empty()) lines.push_back("  left out   " + join(p.left_out, 6));
  if (!p.exchange.empty()) lines.push_back("  secure sum " + p.exchange);
  lines.push_back(
      "  model      " +
      (evaluated_ ? fmt::format("{}, after round {}", means_text(evaluated_->second), evaluated_->first.value)
                  : "not yet evaluated"));
  lines.push_back(fmt::format("  traffic    {} up, {} down", bytes_text(bytes_up), bytes_text(bytes_down)));
  if (!round_seconds_.empty()) {
    std::vector<double> sorted = round_seconds_;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                     sorted.end());
    const double median = sorted[sorted.size() / 2];
    const double left = median * (1.0 - done) * p.rounds;
    lines.push_back(fmt::format("  time       {:.1f} s a round, {} to go", median, duration_text(left)));
  }
  draw(lines);
}

void ProgressDisplay::draw(const std::vector<std::string>& lines) {
  erase();
  const std::size_t width = terminal_width();
  for (const std::string& raw : lines) {
    std::string line = printable(raw);  // some texts come from clients
    // fmt counts bytes, not columns, and the characters of the bar have several bytes each.
    if (line.find("█") == std::string::npos && line.find("░") == std::string::npos && line.size() > width - 1)
      line = line.substr(0, width - 2) + "…";
    std::fputs((line + "\n").c_str(), stdout);
  }
  drawn_ = lines.size();
  std::fflush(stdout);
}

void ProgressDisplay::erase() {
  for (; drawn_ > 0; --drawn_) std::fputs("\x1b[1A\x1b[2K", stdout);
}

void ProgressDisplay::committed(const RoundRecord& record, std::uint32_t rounds) {
  round_seconds_.push_back(record.seconds);
  if (style_ == ProgressStyle::none) return;
  std::size_t counted = 0;
  std::vector<std::string> lost;
  for (const auto& p : record.participations) {
    if (p.outcome == Outcome::counted) ++counted;
    else lost.push_back(fmt::format("{} ({})", p.client, name(p.outcome)));
  }
  const std::string line =
      fmt::format("round {:>3} of {}: {} of {} clients counted{}, {:.1f} s, model {}", record.round.value,
                  rounds, counted, record.participations.size(),
                  lost.empty() ? "" : ", lost " + join(lost, 6), record.seconds, record.model.brief());
  if (style_ == ProgressStyle::plain || !lost.empty()) say(line);
}

void ProgressDisplay::evaluated(RoundId round, const Metrics& metrics) {
  if (!evaluated_ || round > evaluated_->first) evaluated_.emplace(round, metrics);
  if (style_ == ProgressStyle::plain)
    say(fmt::format("round {:>3} evaluated: {}", round.value, means_text(metrics)));
}

void ProgressDisplay::say(const std::string& line) {
  if (style_ == ProgressStyle::none) return;
  erase();
  std::puts(printable(line).c_str());
  std::fflush(stdout);
}

void ProgressDisplay::end() {
  erase();
  std::fflush(stdout);
}

}  // namespace hansa::server
