// The commands that show, draw and export a run, as a user runs them.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/server_parts/run_folder_fixture.h"
#include "tests/tools/finished_program.h"

namespace hansa::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

Finished run_hansa(const std::string& arguments) { return run_program(HANSA_PROGRAM, arguments); }

std::string text_of(const std::filesystem::path& file) {
  auto text = read_text_file(file, 4 << 20);
  EXPECT_TRUE(text) << text.error().text();
  return text.value_or("");
}

class ViewProgram : public server::RunFolderTest {
 protected:
  void SetUp() override {
    fill(3);
    const auto store = open();
    for (std::uint32_t round = 1; round <= 3; ++round)
      ASSERT_TRUE(store->record_evaluation(RoundId{round}, {{"loss", 1.0 / round, 1}, {"accuracy", 0.5, 1}}));
    ASSERT_TRUE(store->record_abandoned(
        {RoundId{2}, 1, "2024-05-01T12:00:00Z", server::AbandonCause::updates, "too few \x1b[2J clients"}));
  }
  [[nodiscard]] std::string quoted(const std::filesystem::path& file) const {
    return " '" + file.string() + "'";
  }
  [[nodiscard]] std::string run() const { return quoted(path_); }
};

TEST_F(ViewProgram, MetricsAreExportedInEveryFormAtOnceAndAgain) {
  const std::string arguments = "export-metrics" + run() + " --csv" + quoted(folder_ / "a.csv") + " --jsonl" +
                                quoted(folder_ / "a.jsonl") + " --tensorboard" + quoted(folder_ / "tb") +
                                " --mlflow" + quoted(folder_ / "mlruns");
  const Finished first = run_hansa(arguments);
  ASSERT_EQ(first.code, 0) << first.output;
  EXPECT_THAT(text_of(folder_ / "a.csv"), StartsWith("run,round,time,round/seconds,"));
  EXPECT_THAT(text_of(folder_ / "a.csv"), HasSubstr("\nfirst,3,2024-05-01T12:00:03Z,"));
  EXPECT_THAT(text_of(folder_ / "a.jsonl"), HasSubstr("\"evaluation/accuracy\":0.5"));
  const auto events = folder_ / "tb" / "first" / "events.out.tfevents.1714564800.hansa";
  const auto size = std::filesystem::file_size(events);
  const Finished second = run_hansa(arguments);
  EXPECT_EQ(second.code, 0) << second.output;
  EXPECT_EQ(std::filesystem::file_size(events), size);
  EXPECT_EQ(first.output, second.output);
}

TEST_F(ViewProgram, ATableCanBePrintedAndRunsOfOneNameAreRefused) {
  const Finished table = run_hansa("export-metrics" + run() + " --csv -");
  EXPECT_EQ(table.code, 0);
  EXPECT_THAT(table.output, StartsWith("run,round,"));
  const Finished none = run_hansa("export-metrics" + run());
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.output, HasSubstr("--tensorboard DIR"));
  const Finished twice = run_hansa("export-metrics" + run() + run() + " --csv -");
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.output, HasSubstr("is a run whose name another one has"));
}

TEST_F(ViewProgram, APlotIsAnSvgOrAPngByItsName) {
  const Finished svg = run_hansa("plot" + run() + " -o" + quoted(folder_ / "run.svg"));
  ASSERT_EQ(svg.code, 0) << svg.output;
  EXPECT_THAT(text_of(folder_ / "run.svg"), AllOf(StartsWith("<?xml"), HasSubstr("evaluation")));
  // An XML parser reads it.
  const std::string parse = "-c \"import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])\"";
  const Finished parsed = run_program("/usr/bin/env", "python3 " + parse + quoted(folder_ / "run.svg"));
  EXPECT_EQ(parsed.code, 0) << parsed.output;
  const Finished png =
      run_hansa("plot" + run() + " -o" + quoted(folder_ / "run.png") + " --series round/seconds");
  if (png.code == 0) {
    auto bytes = read_binary_file(folder_ / "run.png", 4 << 20);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(std::memcmp(bytes->data(), "\x89PNG\r\n", 6), 0);
  } else {
    EXPECT_THAT(png.output, HasSubstr("librsvg2-dev")) << "built without librsvg";
  }
}

TEST_F(ViewProgram, PlotsNameWhatIsWrong) {
  const Finished form = run_hansa("plot" + run() + " -o" + quoted(folder_ / "run.gif"));
  EXPECT_EQ(form.code, 2);
  EXPECT_THAT(form.output, HasSubstr("-o FILE.svg"));
  const Finished series =
      run_hansa("plot" + run() + " -o" + quoted(folder_ / "a.svg") + " --series train/los");
  EXPECT_EQ(series.code, 2);
  EXPECT_THAT(series.output, HasSubstr("did you mean \"train/loss\"?"));
}

TEST_F(ViewProgram, AReportIsWrittenAndADeviceRegisterIsNotMadeForIt) {
  const Finished report = run_hansa("report" + run() + " -o" + quoted(folder_ / "report.html"));
  ASSERT_EQ(report.code, 0) << report.output;
  EXPECT_THAT(text_of(folder_ / "report.html"), HasSubstr("<title>Run first</title>"));
  const Finished no_register = run_hansa("report" + run() + " -o" + quoted(folder_ / "report.html") +
                                         " --register" + quoted(folder_ / "none.sqlite"));
  EXPECT_EQ(no_register.code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none.sqlite"));
}

TEST_F(ViewProgram, WithoutATerminalWatchPrintsALineForEachEvent) {
  const Finished watch = run_hansa("watch" + run());
  EXPECT_EQ(watch.code, 0);
  EXPECT_THAT(watch.output, HasSubstr("round 1: 2 of 7 clients counted, 1.3 s"));
  EXPECT_THAT(watch.output, HasSubstr("round 3: 2 of 7 clients counted"));
  EXPECT_THAT(watch.output, HasSubstr("; evaluated: loss 0.3333, accuracy 0.5000"));
  EXPECT_THAT(watch.output, HasSubstr("round 2, attempt 1 was abandoned: too few \\x1b[2J clients"));
  EXPECT_THAT(watch.output, HasSubstr("stopped after round 3"));
}

// hansa watch on a terminal of its own.
class WatchedTerminal {
 public:
  WatchedTerminal(const std::string& run, winsize size) {
    int side = -1;
    if (::openpty(&terminal_, &side, nullptr, nullptr, &size) != 0) return;
    ::tcgetattr(terminal_, &before_);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(terminal_);
      ::login_tty(side);
      ::setenv("TERM", "xterm", 1);
      ::setenv("LC_ALL", "C.UTF-8", 1);
      ::execl(HANSA_PROGRAM, "hansa", "watch", run.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(side);
  }
  ~WatchedTerminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(terminal_);
  }
  // Until the output contains the text.
  bool wait_for(const std::string& text) {
    while (output.find(text) == std::string::npos) {
      pollfd wait{terminal_, POLLIN, 0};
      if (::poll(&wait, 1, 60'000) != 1) return false;
      std::array<char, 4096> buffer{};
      const ssize_t n = ::read(terminal_, buffer.data(), buffer.size());
      if (n <= 0) return false;
      output.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return true;
  }
  void type(const std::string& keys) const { (void)!::write(terminal_, keys.data(), keys.size()); }
  void resize(winsize size) const { ::ioctl(terminal_, TIOCSWINSZ, &size); }
  void signal(int number) const { ::kill(pid_, number); }
  // The exit code.
  int end() {
    (void)wait_for("\x1b[?1049l");
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // Whether keys are echoed and lines edited as before.
  [[nodiscard]] bool is_as_before() const {
    termios now{};
    ::tcgetattr(terminal_, &now);
    return now.c_lflag == before_.c_lflag;
  }

  std::string output;

 private:
  int terminal_ = -1;
  pid_t pid_ = -1;
  termios before_{};
};

TEST_F(ViewProgram, WatchFollowsTheRunAndItsTerminalAndLeavesItAsItWas) {
  for (const char* key : {"q", "\x03"}) {
    std::filesystem::remove_all(path_);
    fill(1);
    const auto store = open();
    WatchedTerminal terminal(path_.string(), {24, 80, 0, 0});
    ASSERT_TRUE(terminal.wait_for("q: quit")) << terminal.output;
    EXPECT_THAT(terminal.output, HasSubstr("\x1b[?1049h"));
    EXPECT_THAT(terminal.output, HasSubstr("running"));
    ASSERT_TRUE(server::commit(*store, 2));
    EXPECT_TRUE(terminal.wait_for("round 2")) << terminal.output;
    terminal.output.clear();
    terminal.resize({10, 40, 0, 0});
    EXPECT_TRUE(terminal.wait_for("q: quit")) << terminal.output;
    terminal.type(key);
    EXPECT_EQ(terminal.end(), 0);
    EXPECT_THAT(terminal.output, HasSubstr("\x1b[?7h\x1b[?25h\x1b[?1049l"));
    EXPECT_TRUE(terminal.is_as_before());
  }
}

TEST_F(ViewProgram, WatchWaitsForTheFirstRun) {
  std::filesystem::remove_all(path_);
  for (const std::string slash : {"", "/"}) {
    const auto runs = path_.parent_path();
    std::filesystem::create_directory(runs);
    WatchedTerminal terminal(runs.string() + slash, {24, 80, 0, 0});
    ASSERT_TRUE(terminal.wait_for("q: quit")) << terminal.output;
    EXPECT_THAT(terminal.output, HasSubstr("no run has begun"));
    fill(1);
    EXPECT_TRUE(terminal.wait_for("round 1")) << terminal.output;
    terminal.type("q");
    EXPECT_EQ(terminal.end(), 0);
    std::filesystem::remove_all(runs);
  }
}

TEST_F(ViewProgram, WatchThatWaitsIsEndedByASignal) {
  std::filesystem::remove_all(path_);
  for (const int number : {SIGTERM, SIGINT}) {
    WatchedTerminal terminal(path_.parent_path().string(), {24, 80, 0, 0});
    ASSERT_TRUE(terminal.wait_for("no run has begun")) << terminal.output;
    terminal.signal(number);
    EXPECT_EQ(terminal.end(), 0);
    EXPECT_TRUE(terminal.is_as_before());
  }
}

// An aggregator ends after its run, which ends the command too.
TEST_F(ViewProgram, WithoutATerminalWatchWaitsForTheFirstRunAndEndsWithIt) {
  std::filesystem::remove_all(path_);
  FILE* watch = ::popen(("'" HANSA_PROGRAM "' watch" + quoted(path_.parent_path())).c_str(),
                        "r");  // NOLINT(cert-env33-c)
  ASSERT_NE(watch, nullptr);
  std::array<char, 4096> line{};
  ASSERT_NE(std::fgets(line.data(), line.size(), watch), nullptr);
  EXPECT_THAT(line.data(), AllOf(StartsWith("no run has begun in "), HasSubstr("waiting")));
  {
    const auto store = open();
    ASSERT_TRUE(server::begin(*store));
    ASSERT_TRUE(server::commit(*store, 1));
  }
  std::string rest;
  while (std::fgets(line.data(), line.size(), watch) != nullptr) rest += line.data();
  EXPECT_EQ(::pclose(watch), 0);
  EXPECT_THAT(rest, AllOf(StartsWith("run first begins\n"), HasSubstr("\nround 1: 2 of 7 clients counted"),
                          HasSubstr("stopped after round 1")));
}

TEST_F(ViewProgram, AFolderOfRunsMayEndWithASlash) {
  const Finished status = run_hansa("status" + quoted(path_.parent_path() / ""));
  EXPECT_EQ(status.code, 0) << status.output;
  EXPECT_THAT(status.output, HasSubstr("run first"));
}

TEST_F(ViewProgram, ASignalEndsWatchAndLeavesTheTerminalAsItWas) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    WatchedTerminal terminal(path_.string(), {24, 80, 0, 0});
    ASSERT_TRUE(terminal.wait_for("q: quit")) << terminal.output;
    terminal.signal(number);
    EXPECT_EQ(terminal.end(), 0) << "signal " << number;
    EXPECT_THAT(terminal.output, HasSubstr("\x1b[?7h\x1b[?25h\x1b[?1049l"));
    EXPECT_TRUE(terminal.is_as_before());
  }
}

TEST_F(ViewProgram, WatchOnATerminalShowsWhenTheAggregatorEnds) {
  auto store = open();
  WatchedTerminal terminal(path_.string(), {24, 80, 0, 0});
  ASSERT_TRUE(terminal.wait_for("running"));
  store.reset();
  EXPECT_TRUE(terminal.wait_for("stopped")) << terminal.output;
  terminal.type("q");
  EXPECT_EQ(terminal.end(), 0);
}

}  // namespace
}  // namespace hansa::tools
