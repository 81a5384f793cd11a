// hansa watch: a run as it goes on, on a terminal or as lines.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/folder_lock.h"
#include "common/metrics_text.h"
#include "common/text.h"
#include "common/utc.h"
#include "server/store/run_catalogue.h"
#include "tools/run_follower.h"
#include "tools/run_list.h"
#include "tools/run_settings.h"
#include "tools/terminal_screen.h"
#include "tools/view_commands.h"
#include "tools/watch_model.h"
#include "tools/watch_screen.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds refresh_least(200);  // between two readings of the run
constexpr std::chrono::milliseconds tick(1000);  // of the time that is left, while a process works on the run

// What is known of the run, and how it is brought up to date.
struct Watched {
  fs::path folder;
  WatchedRun about;
  WatchModel model;

  // Calls on_round for each new round. A run that has not begun stays empty.
  Result<void> refresh(const std::function<void(const server::RoundRecord&)>& on_round) {
    about.now = static_cast<double>(utc_seconds_now().value);
    about.run = folder.filename().string();
    const bool running = is_folder_locked(folder);
    HANSA_TRY(const bool empty,
              server::open_catalogue(folder.parent_path())->is_empty(folder.filename().string()));
    about.state = running ? RunState::running : RunState::empty;
    if (empty) return {};
    HANSA_TRY(const auto run, server::open_run_read_only(folder));
    HANSA_TRY(const auto identity, run->identity());
    if (!identity) return {};
    about.federation = identity->federation;
    about.run = identity->run;
    HANSA_TRY(const auto configurations, run->configurations());
    about.rounds = rounds_of(configurations);
    HANSA_TRY(const auto evaluations, run->evaluations());
    model.set_evaluations(evaluations);
    HANSA_TRY(const auto position, run->position());
    for (std::uint32_t round = model.last_round().value + 1; position && round <= position->round.value;
         ++round) {
      HANSA_TRY(const auto record, run->round(RoundId{round}));
      if (!record) break;
      model.add(*record);
      on_round(*record);
    }
    HANSA_TRY(auto abandoned, run->abandoned_attempts());
    model.set_abandoned(std::move(abandoned));
    HANSA_TRY(auto end, run->end());
    model.set_end(std::move(end));
    if (!running) about.state = model.end() ? RunState::finished : RunState::stopped;
    return {};
  }
};

// What a script reads: a line for each event, each once.
class Lines {
 public:
  void print_round(const server::RoundRecord& record, const Watched& run) {
    std::string line = round_sentence(record, run.about.rounds);
    if (const Metrics* metrics = run.model.evaluation(record.round)) {
      line += "; evaluated: " + printable(means_text(*metrics));
      evaluated_.insert(record.round);
    }
    fmt::print("{}\n", line);
  }
  // What was not known when a round's line was printed.
  void print_rest(const Watched& run) {
    for (const auto& [round, metrics] : run.model.evaluations())
      if (round > RoundId{0} && evaluated_.insert(round).second)
        fmt::print("round {} evaluated: {}\n", round.value, printable(means_text(metrics)));
    const auto& abandoned = run.model.abandoned();
    std::size_t from = 0;
    for (std::size_t i = 0; last_abandoned_ && i < abandoned.size(); ++i)
      if (abandoned[i] == *last_abandoned_) from = i + 1;
    for (std::size_t i = from; i < abandoned.size(); ++i)
      fmt::print("round {}, attempt {} was abandoned: {}\n", abandoned[i].round.value, abandoned[i].attempt,
                 printable(abandoned[i].reason));
    if (!abandoned.empty()) last_abandoned_ = abandoned.back();
    std::fflush(stdout);
  }
  // Once, at the end.
  static void print_end(const Watched& run) {
    if (run.model.end()) fmt::print("finished: {}\n", printable(run.model.end()->why));
    else fmt::print("{} after round {}\n", name(run.about.state), run.model.last_round().value);
  }

 private:
  std::set<RoundId> evaluated_;  // those that are printed
  std::optional<server::AbandonedAttempt> last_abandoned_;
};

bool has_text(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// By the environment, as locale(1) reads it.
Symbols symbols_of_locale() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!has_text(variable)) continue;
    const std::string value = std::getenv(variable);
    for (const char* utf8 : {"UTF-8", "utf-8", "UTF8", "utf8"})
      if (value.find(utf8) != std::string::npos) return Symbols::unicode;
    return Symbols::ascii;
  }
  return Symbols::ascii;
}

// The descriptor that a signal makes readable, and whether one that ends the program came. Handlers, because libraries
// start threads before main, which a signalfd would not keep signals from.
std::atomic<int> signal_descriptor{-1};
std::atomic<bool> end_is_asked{false};

void on_signal(int number) {
  const int kept = errno;
  if (number != SIGWINCH) end_is_asked = true;
  const std::uint64_t one = 1;
  (void)!::write(signal_descriptor, &one, sizeof one);
  errno = kept;
}

// From now on signals that would end the program, and changes of the terminal's size, make the descriptor readable.
Result<Descriptor> open_signals() {
  Descriptor out(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!out) return fail_with_errno("signals", "cannot be received");
  signal_descriptor = out.get();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) ::sigaction(signal, &action, nullptr);
  return out;
}

// Whether the program has to end.
bool take_signals(const Descriptor& signals) {
  std::uint64_t times = 0;
  (void)!::read(signals.get(), &times, sizeof times);
  return end_is_asked;
}

class Watch {
 public:
  Watch(fs::path run, fs::path runs) : runs_(std::move(runs)) { watched_.folder = std::move(run); }

  Result<void> run() {
    HANSA_TRY(signals_, open_signals());
    HANSA_TRY(auto follower, RunFollower::open(watched_.folder, runs_));
    // After this, so that no change is missed.
    if (waits()) HANSA_TRY_VOID(look_for_a_run(follower));
    if (!TerminalScreen::is_possible()) {
      print_beginning();
      HANSA_TRY_VOID(refresh());
    } else {
      if (!waits()) HANSA_TRY_VOID(watched_.refresh([](const auto&) {}));
      screen_.emplace();
      style_.colours = has_text("NO_COLOR") ? Colours::none : Colours::some;
      style_.symbols = symbols_of_locale();
    }
    auto watched = watch(follower);
    screen_.reset();
    if (watched && !was_screen_ && !waits()) Lines::print_end(watched_);
    return watched;
  }

 private:
  // Whether no run has begun.
  [[nodiscard]] bool waits() const { return watched_.folder.empty(); }

  // A run may have begun before the follower was opened.
  Result<void> look_for_a_run(RunFollower& follower) {
    HANSA_TRY(const auto begun, find_begun_run(runs_));
    if (!begun) return {};
    HANSA_TRY_VOID(follower.follow(*begun));
    watched_.folder = *begun;
    return {};
  }

  void print_beginning() const {
    if (waits()) fmt::print("no run has begun in {}: waiting for one\n", printable(runs_.string()));
    std::fflush(stdout);
  }

  Result<void> watch(RunFollower& follower) {
    was_screen_ = screen_.has_value();
    show_screen();
    while (screen_ || waits() || watched_.about.state == RunState::running) {
      std::array<pollfd, 3> waits{
          {{follower.descriptor(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
      (void)::poll(waits.data(), screen_ ? 3 : 2, wait_milliseconds());
      if (waits[1].revents != 0 && take_signals(signals_)) return {};
      if (screen_ && waits[2].revents != 0 && is_quit(screen_->typed())) return {};
      if (waits[0].revents != 0) HANSA_TRY_VOID(take(follower));
      if (is_due_ && Clock::now() - last_refresh_ >= refresh_least) {
        is_due_ = false;
        last_refresh_ = Clock::now();
        HANSA_TRY_VOID(refresh());
      }
      show_screen();
    }
    return {};
  }

  Result<void> take(RunFollower& follower) {
    const RunFollower::Changes changes = follower.take();
    if (changes.run) is_due_ = true;
    if (!changes.newer || *changes.newer == watched_.folder) return {};
    Watched newer{*changes.newer, {}, {}};
    // What is no run yet is looked at again when it changes.
    if (!server::is_run_folder(newer.folder) || !newer.refresh([](const auto&) {}) ||
        newer.about.federation.empty())
      return {};
    HANSA_TRY_VOID(follower.follow(newer.folder));
    if (!screen_) fmt::print("run {} begins\n", newer.about.run);
    watched_ = Watched{newer.folder, {}, {}};
    lines_ = {};
    is_due_ = true;
    return {};
  }

  // How long nothing has to be done, unless something happens.
  [[nodiscard]] int wait_milliseconds() const {
    if (is_due_) {
      const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - last_refresh_);
      return static_cast<int>(
          std::clamp((refresh_least - since).count() + 1, std::int64_t{0}, std::int64_t{1000}));
    }
    if (screen_ && watched_.about.state == RunState::running) return static_cast<int>(tick.count());
    return -1;
  }

  [[nodiscard]] static bool is_quit(const std::optional<std::string>& typed) {
    constexpr const char* ends = "qQ\x03\x04";
    return !typed || typed->find_first_of(ends) != std::string::npos;
  }

  Result<void> refresh() {
    if (waits()) return {};
    HANSA_TRY_VOID(watched_.refresh([&](const auto& record) {
      if (!screen_) lines_.print_round(record, watched_);
    }));
    if (!screen_) lines_.print_rest(watched_);
    return {};
  }
  void show_screen() {
    if (!screen_) return;
    watched_.about.now = static_cast<double>(utc_seconds_now().value);
    style_.size = screen_->size();
    auto lines =
        waits() ? waiting_lines(runs_.string(), style_) : watch_lines(watched_.about, watched_.model, style_);
    if (lines == drawn_) return;
    screen_->draw(lines);
    drawn_ = std::move(lines);
  }

  fs::path runs_;  // empty: only the one run
  Watched watched_;
  Descriptor signals_;
  std::optional<TerminalScreen> screen_;
  bool was_screen_ = false;
  ScreenStyle style_;
  Lines lines_;
  std::vector<std::string> drawn_;
  bool is_due_ = false;
  Clock::time_point last_refresh_;
};

// Without a separator at its end, so that it has a name and a parent.
fs::path absolute_path(const fs::path& path) {
  const fs::path normal = fs::absolute(path).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

Result<void> run_watch(const fs::path& path) {
  if (server::is_run_folder(path)) return Watch(absolute_path(path), {}).run();
  HANSA_TRY(const fs::path runs, find_runs_folder(path));
  HANSA_TRY(const auto begun, find_begun_run(runs));
  return Watch(begun ? absolute_path(*begun) : fs::path(), absolute_path(runs)).run();
}

}  // namespace

void add_watch_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand("watch", "Watch a run on the terminal while it runs");
  command->footer(
      "q or Ctrl-C ends it. Given a folder of runs or a federation's folder, it waits for the first run, and "
      "follows a run that "
      "begins later, too. Without a "
      "terminal, or "
      "with TERM=dumb, it prints a line for each round, and ends with the run. NO_COLOR=1 leaves colours "
      "out.\n"
      "Examples:\n  hansa watch runs\n  hansa watch runs/mine-20260101-120000 > rounds.txt");
  auto path = std::make_shared<fs::path>();
  command
      ->add_option("RUN", *path,
                   "A run folder; for the newest run, the folder of runs or the federation's folder")
      ->required();
  command->callback([path, &outcome] { outcome = run_watch(*path); });
}

}  // namespace hansa::tools
