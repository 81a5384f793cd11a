// The lock itself: what a process that was taken over can still do. Each attempt runs in a process of its own.
#include "common/sandbox/lock.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sandbox/no_seccomp.h"
#include "tests/temporary_folder.h"

namespace hansa::sandbox {
namespace {

constexpr int cannot_lock = 101;

struct Ended {
  int status = -1;  // -1: by the signal
  int signal = 0;
};

// Runs `attempt` in a process that has prepared itself and locked.
Ended attempt_locked(
    const std::function<int()>& attempt, const std::function<void()>& prepare = [] {}) {
  const pid_t process = ::fork();
  if (process == 0) {
    prepare();
    if (!limit_process({}) || !lock_process({})) ::_exit(cannot_lock);
    ::_exit(attempt());
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

// 0: the call failed with EPERM or EACCES. Landlock or seccomp may be first.
int denied(long result) { return result < 0 && (errno == EPERM || errno == EACCES) ? 0 : 1; }

void expect_denied(const char* name, const std::function<long()>& call) {
  const Ended ended = attempt_locked([&] { return denied(call()); });
  EXPECT_EQ(ended.status, 0) << name << ": signal " << ended.signal;
}
void expect_killed(const char* name, const std::function<long()>& call) {
  const Ended ended = attempt_locked([&] {
    (void)call();
    return 0;
  });
  EXPECT_EQ(ended.signal, SIGSYS) << name << ": status " << ended.status;
}

class AdversarySandboxLock : public ::testing::Test {
 protected:
  AdversarySandboxLock() { std::ofstream(secret_) << "secret"; }
  TemporaryFolder folder_;
  std::string secret_ = (folder_ / "secret").string();
  std::string other_ = (folder_ / "other").string();
};

TEST_F(AdversarySandboxLock, NoFileIsOpenedForReadingOrWriting) {
  const char* const secret = secret_.c_str();
  const char* const other = other_.c_str();
  expect_denied("open", [&] { return ::open(secret, O_RDONLY); });
  expect_denied("open to write", [&] { return ::open(secret, O_WRONLY | O_APPEND); });
  expect_denied("create", [&] { return ::open(other, O_WRONLY | O_CREAT, 0600); });
#ifdef SYS_creat
  expect_denied("creat", [&] { return ::syscall(SYS_creat, other, 0600); });
#endif
  expect_denied("openat2", [&] { return ::syscall(437, AT_FDCWD, secret, nullptr, 0); });
  expect_denied("open_by_handle_at", [&] { return ::syscall(SYS_open_by_handle_at, AT_FDCWD, nullptr, 0); });
  expect_denied("memfd_create", [&] { return ::syscall(SYS_memfd_create, "x", 0); });
  expect_denied("/proc/self/mem", [&] { return ::open("/proc/self/mem", O_RDWR); });
  expect_denied("/dev/null", [&] { return ::open("/dev/null", O_WRONLY); });
}

TEST_F(AdversarySandboxLock, NoFileIsChangedOrLookedAtByName) {
  const char* const secret = secret_.c_str();
  const char* const other = other_.c_str();
  expect_denied("unlink", [&] { return ::unlink(secret); });
  expect_denied("rename", [&] { return ::rename(secret, other); });
  expect_denied("link", [&] { return ::link(secret, other); });
  expect_denied("symlink", [&] { return ::symlink(secret, other); });
  expect_denied("mkdir", [&] { return ::mkdir(other, 0700); });
  expect_denied("truncate", [&] { return ::truncate(secret, 0); });
  expect_denied("chmod", [&] { return ::chmod(secret, 0777); });
  expect_denied("access", [&] { return ::access(secret, F_OK); });
  expect_denied("stat", [&] {
    struct stat status {};
    return ::stat(secret, &status);
  });
  EXPECT_TRUE(std::filesystem::exists(secret_));
}

TEST_F(AdversarySandboxLock, AConnectionOrAnyOtherSocketEndsTheProcess) {
  expect_killed("tcp", [] { return ::socket(AF_INET, SOCK_STREAM, 0); });
  expect_killed("udp", [] { return ::socket(AF_INET6, SOCK_DGRAM, 0); });
  expect_killed("unix", [] { return ::socket(AF_UNIX, SOCK_STREAM, 0); });
  expect_killed("netlink", [] { return ::socket(AF_NETLINK, SOCK_RAW, 0); });
  expect_killed("vsock", [] { return ::socket(AF_VSOCK, SOCK_STREAM, 0); });
  expect_killed("io_uring", [] { return ::syscall(425, 8, nullptr); });
  int pair[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  // A socket that was left open by mistake passes no descriptors on.
  expect_killed("sendmsg", [&] {
    msghdr message{};
    return ::sendmsg(pair[0], &message, 0);
  });
  expect_killed("connect", [&] {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    return ::connect(pair[0], reinterpret_cast<const sockaddr*>(&address), sizeof address);
  });
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST_F(AdversarySandboxLock, AnotherProgramOrProcessEndsTheProcess) {
  expect_killed("execve", [] { return ::execl("/bin/true", "true", nullptr); });
#ifdef SYS_fork
  expect_killed("fork", [] { return ::syscall(SYS_fork); });
#endif
  expect_killed("clone", [] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); });
  expect_killed("ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); });
  const pid_t parent = ::getpid();
  expect_killed("process_vm_readv", [&] { return ::process_vm_readv(parent, nullptr, 0, nullptr, 0, 0); });
}

#ifdef __x86_64__
TEST_F(AdversarySandboxLock, TheSystemCallsOfAnotherProcessorDoNotHelp) {
  const Ended ended = attempt_locked([] {
    long result = 5;  // open, in the 32-bit interface
    asm volatile("int $0x80" : "+a"(result) : "b"(0L), "c"(0L), "d"(0L) : "memory");
    return 0;
  });
  EXPECT_NE(ended.signal, 0) << ended.status;
}
#endif

TEST_F(AdversarySandboxLock, NoSignalReachesAnotherProcessAndNoLimitIsRaised) {
  const pid_t parent = ::getpid();
  expect_denied("kill", [&] { return ::kill(parent, SIGTERM); });
  expect_denied("tgkill", [&] { return ::syscall(SYS_tgkill, parent, parent, SIGTERM); });
  expect_denied("setrlimit", [] {
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    return ::setrlimit(RLIMIT_AS, &none);
  });
  expect_denied("prctl", [] { return ::prctl(PR_SET_DUMPABLE, 1); });
  expect_denied("setns", [] { return ::syscall(SYS_setns, 0, 0); });
  expect_denied("unshare", [] { return ::syscall(SYS_unshare, CLONE_NEWUSER); });
  expect_denied("mount", [] { return ::syscall(SYS_mount, "x", "/", "tmpfs", 0, nullptr); });
  expect_denied("ioctl",
                [] { return ::syscall(SYS_ioctl, 0, 0x5412, "x"); });  // TIOCSTI types into a terminal
}

TEST_F(AdversarySandboxLock, MemoryEndsAtItsLimitAndNotAtTheDevices) {
  const pid_t process = ::fork();
  if (process == 0) {
    const LockConfig config{0, std::uint64_t{64} << 20};
    if (!limit_process(config) || !lock_process(config)) ::_exit(cannot_lock);
    int got = 0;  // blocks of 16 MiB
    while (got < 100 && ::mmap(nullptr, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                               0) != MAP_FAILED)
      ++got;
    ::_exit(got);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_GE(WEXITSTATUS(status), 1);
  EXPECT_LE(WEXITSTATUS(status), 4);
#endif
}

TEST_F(AdversarySandboxLock, WithoutLandlockTheFilterHoldsAlone) {
  const char* const secret = secret_.c_str();
  const auto no_landlock = [] { testing::refuse({"landlock_create_ruleset"}, ENOSYS); };
  EXPECT_EQ(attempt_locked([&] { return denied(::open(secret, O_RDONLY)); }, no_landlock).status, 0);
  EXPECT_EQ(attempt_locked([] { return ::socket(AF_INET, SOCK_STREAM, 0); }, no_landlock).signal, SIGSYS);
}

TEST_F(AdversarySandboxLock, AKernelThatRefusesTheFilterIsAnErrorAndNotAnOpenSandbox) {
  EXPECT_EQ(attempt_locked([] { return 0; },
                           [] {
                             testing::refuse({"seccomp", "prctl"}, EINVAL);
                           })
                .status,
            cannot_lock);
}

TEST(SandboxLock, ComputingThreadsAndOpenFilesStillWork) {
  TemporaryFolder folder;
  std::ofstream(folder / "data") << "examples";
  const int data = ::open((folder / "data").c_str(), O_RDONLY | O_CLOEXEC);
  const Ended ended = attempt_locked([&] {
    std::atomic<int> sum = 0;
    {
      std::jthread a([&] { sum += 1; });
      std::jthread b([&] { sum += 2; });
    }
    std::vector<double> memory(1 << 20, 1.0);
    char text[8] = {};
    const bool read = ::pread(data, text, sizeof text, 0) == 8 && std::string(text, 8) == "examples";
    // A new thread is locked as well.
    int opened = 0;
    std::jthread([&] { opened = ::open("/etc/passwd", O_RDONLY); }).join();
    try {
      throw std::runtime_error("exceptions work");
    } catch (const std::exception&) {
      return sum == 3 && memory[7] == 1.0 && read && opened < 0 ? 0 : 1;
    }
  });
  EXPECT_EQ(ended.status, 0) << "signal " << ended.signal;
  ::close(data);
}

}  // namespace
}  // namespace hansa::sandbox
