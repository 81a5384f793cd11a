// What a data file can do that has taken over its parser. Each attempt runs in a process of its own.
#include "common/sandbox/reading.h"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/temporary_folder.h"

namespace hansa::sandbox {
namespace {

constexpr int cannot_restrict = 101;

class AdversaryReading : public ::testing::Test {
 protected:
  AdversaryReading() {
    std::filesystem::create_directories(folder_.path() / "state" / "archives");
    std::filesystem::create_directory(folder_.path() / "data");
    for (const char* file : {"client.key", "client.toml", "state/state.sqlite", "data/rows.csv"})
      std::ofstream(folder_.path() / file) << "text";
    std::filesystem::create_symlink(folder_.path() / "client.key", folder_.path() / "data" / "link");
  }
  // The exit status of a process that has restricted itself; negative: the signal that ended it.
  int attempt(const std::function<int(Landlock)>& what) const {
    const pid_t process = ::fork();
    if (process == 0) {
      const auto restricted =
          restrict_to_reading({{path("client.key"), path("state"), path("none")}, {path("data")}});
      if (!restricted) ::_exit(cannot_restrict);
      ::_exit(what(*restricted));
    }
    int status = 0;
    ::waitpid(process, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  [[nodiscard]] bool has_landlock() const {
    return attempt([](Landlock landlock) { return landlock == Landlock::held ? 1 : 0; }) == 1;
  }
  // 0: it can be opened.
  [[nodiscard]] int open(const std::string& file, int flags) const {
    return attempt([&](Landlock) { return ::open(file.c_str(), flags | O_CLOEXEC, 0600) >= 0 ? 0 : errno; });
  }
  [[nodiscard]] std::string path(const char* file) const { return (folder_.path() / file).string(); }

  TemporaryFolder folder_;
};

TEST_F(AdversaryReading, TheKeyAndTheStateAreNotReadAndOtherFilesAre) {
  if (!has_landlock()) GTEST_SKIP() << "the kernel has no Landlock";
  for (const char* secret : {"client.key", "state/state.sqlite", "data/link"})
    EXPECT_EQ(open(path(secret), O_RDONLY), EACCES) << secret;
  EXPECT_EQ(open("/proc/self/root" + path("client.key"), O_RDONLY), EACCES);
  for (const char* file : {"client.toml", "data/rows.csv", "data"})
    EXPECT_EQ(open(path(file), O_RDONLY), 0) << file;
  for (const char* file : {"/proc/self/statm", "/proc/cpuinfo", "/dev/urandom", "/usr/bin/env"})
    EXPECT_EQ(open(file, O_RDONLY), 0) << file;
}

TEST_F(AdversaryReading, NoFileIsChangedButThoseInAWritableFolder) {
  if (!has_landlock()) GTEST_SKIP() << "the kernel has no Landlock";
  EXPECT_EQ(open(path("client.toml"), O_WRONLY), EACCES);
  EXPECT_EQ(open(path("new"), O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(attempt([&](Landlock) { return ::unlink(path("client.toml").c_str()) == 0 ? 0 : errno; }),
            EACCES);
  EXPECT_EQ(open(path("data/new"), O_WRONLY | O_CREAT), 0);
  EXPECT_EQ(open("/dev/null", O_WRONLY), 0) << "lock_process() needs it";
}

TEST_F(AdversaryReading, NoProgramIsStartedAndNoOtherProcessReached) {
  char program[] = "/usr/bin/env";
  char* const arguments[] = {program, nullptr};
  const auto ended = [&](const std::function<long()>& call) {
    return attempt([&](Landlock) {
      (void)call();
      return 0;
    });
  };
  EXPECT_EQ(ended([&] { return ::execv(program, arguments); }), -SIGSYS);
  EXPECT_EQ(ended([] { return ::fork(); }), -SIGSYS);
  EXPECT_EQ(ended([] { return ::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr); }), -SIGSYS);
}

TEST_F(AdversaryReading, NothingIsSentOverANetwork) {
  EXPECT_EQ(attempt([](Landlock) { return ::socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0; }), EPERM);
}

}  // namespace
}  // namespace hansa::sandbox
