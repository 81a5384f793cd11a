#include "common/process/child.h"

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hansa {
namespace {

std::string text_of_errno(int error) { return std::string(" (") + std::strerror(error) + ")"; }

// An environment may hold secrets of the program that started us, which a child has no use for.
std::vector<std::string> child_environment() {
  constexpr std::array<std::string_view, 24> kept{
      "PATH=",   "HOME=", "TMPDIR=", "LANG=",   "LC_",   "TZ=",    "LD_",     "GLIBC_",
      "MALLOC_", "HDF5_", "OMP_",    "GOMP_",   "KMP_",  "DNNL_",  "ONEDNN_", "OPENBLAS",
      "MKL_",    "ATEN_", "TORCH",   "PYTORCH", "ASAN_", "UBSAN_", "TSAN_",   "HANSA_LOG_FORMAT="};
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    // OpenBLAS would start its threads while it is loaded, before the sandbox is closed. The trainer sets their number.
    if (text.starts_with("OPENBLAS_NUM_THREADS=")) continue;
    for (const std::string_view prefix : kept)
      if (text.starts_with(prefix)) {
        out.emplace_back(text);
        break;
      }
  }
  out.emplace_back("OPENBLAS_NUM_THREADS=1");
  return out;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// What the new process needs, made before fork().
struct Start {
  const char* program;
  char* const* environment;
  int socket;
  int failed;  // a pipe
  pid_t parent;
};

// Runs in the child after fork(). The parent has threads, so that only system calls are allowed before execve. Writes
// errno to the pipe `failed` if execve fails.
[[noreturn]] void become(const Start& with) {
  char* const arguments[] = {const_cast<char*>(with.program), const_cast<char*>("--serve"), nullptr};
  // A service manager's stop and a terminal's Ctrl-C reach the child as well, also while it is still being loaded. The parent
  // ends it (child_program.h).
  for (const int ignored : {SIGINT, SIGTERM}) (void)::signal(ignored, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // A library may have opened descriptors that execve would keep. Kernels before 5.11 lack the call.
  constexpr unsigned close_range_cloexec = 1U << 2;
  (void)::syscall(SYS_close_range, 3U, ~0U, close_range_cloexec);
  // dup2 onto itself would leave close-on-exec set: the parent may have been started without a standard input.
  if (with.socket == STDIN_FILENO) (void)::fcntl(with.socket, F_SETFD, 0);
  // If the parent died before prctl, the signal is never sent; getppid() detects that.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == with.parent &&
      ::dup2(with.socket, STDIN_FILENO) >= 0 && ::dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
    ::execve(with.program, arguments, with.environment);
  const int error = errno;
  (void)!::write(with.failed, &error, sizeof error);
  ::_exit(127);
}

ProcessEnd wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return {WTERMSIG(status), 0};
  return {0, WEXITSTATUS(status)};
}

}  // namespace

std::string ProcessEnd::text() const {
  if (signal == 0) return "ended with exit status " + std::to_string(status);
  const char* const name = ::sigabbrev_np(signal);
  return std::string("was ended by signal SIG") + (name != nullptr ? name : std::to_string(signal));
}

Result<Child> Child::start(const std::filesystem::path& program) {
  const std::string path = program.string();
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return fail(ErrorCode::resource, path, "cannot be given a socket" + text_of_errno(errno));
  Descriptor socket(pair[0]), child_socket(pair[1]);
  if (::pipe2(pair, O_CLOEXEC) != 0)
    return fail(ErrorCode::resource, path, "cannot be given a pipe" + text_of_errno(errno));
  Descriptor failure(pair[0]), child_failure(pair[1]);
  std::vector<std::string> variables = child_environment();
  const std::vector<char*> environment = pointers_to(variables);
  const Start prepared{path.c_str(), environment.data(), child_socket.get(), child_failure.get(), ::getpid()};
  const pid_t process = ::fork();
  if (process == 0) become(prepared);
  if (process < 0) return fail(ErrorCode::resource, path, "cannot be started" + text_of_errno(errno));
  Child child(program, process, FrameSocket(std::move(socket), FrameSide::parent));
  // The pipe must have no other writer, so that reading ends when the child has run execve.
  child_socket = Descriptor();
  child_failure = Descriptor();
  int error = 0;
  ssize_t received = 0;
  while ((received = ::read(failure.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (received > 0)
    return fail(ErrorCode::storage, path, "cannot be run" + text_of_errno(error), "reinstall Hansa");
  return child;
}

Child::~Child() { kill(); }

Child::Child(Child&& other) noexcept
    : program_(std::move(other.program_)),
      process_(std::exchange(other.process_, -1)),
      socket_(std::move(other.socket_)),
      end_(std::exchange(other.end_, std::nullopt)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(program_, other.program_);
  std::swap(process_, other.process_);
  std::swap(socket_, other.socket_);
  std::swap(end_, other.end_);
  return *this;
}

void Child::kill() noexcept {
  socket_ = FrameSocket();
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  end_ = wait_for(process_);
  process_ = -1;
}

// The child has closed its end of the socket, so that it has exited or is about to. One that broke the format, or that
// closed the socket and continues, is killed.
tl::unexpected<Error> Child::fail_ended(const Error& reason) {
  if (process_ > 0) {
    siginfo_t ended{};
    const bool broken = reason.code == ErrorCode::protocol;
    constexpr int looks = 200;  // for one second
    for (int i = 0; !broken && i < looks && ended.si_pid == 0; ++i) {
      if (::waitid(P_PID, static_cast<id_t>(process_), &ended, WEXITED | WNOHANG | WNOWAIT) != 0) break;
      if (ended.si_pid == 0) ::usleep(5'000);
    }
    if (ended.si_pid == 0) ::kill(process_, SIGKILL);
    end_ = wait_for(process_);
    process_ = -1;
    if (broken) return fail(ErrorCode::internal, program_.string(), reason.what);
  }
  return fail(ErrorCode::internal, program_.string(), end_ ? end_->text() : "has ended");
}

Result<void> Child::send(std::string_view text, std::span<const int> descriptors) {
  if (auto sent = socket_.send(text, descriptors); !sent) return fail_ended(sent.error());
  return {};
}

Result<std::optional<std::string>> Child::receive() {
  auto frame = socket_.receive();
  if (!frame) return fail_ended(frame.error());
  if (!*frame) return std::nullopt;
  return std::move((*frame)->text);
}

Result<std::string> Child::wait() {
  auto frame = socket_.wait();
  if (!frame) return fail_ended(frame.error());
  return std::move(frame->text);
}

}  // namespace hansa
