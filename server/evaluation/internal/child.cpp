#include "server/evaluation/internal/child.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/evaluation/internal/wire.h"

namespace hansa::server::internal {
namespace {

std::string text_of_errno(int error) { return std::string(" (") + std::strerror(error) + ")"; }

// Between fork and exec of a process with threads: system calls only. Tells errno through failed.
[[noreturn]] void become(const char* program, int socket, int failed, pid_t parent) {
  char* const arguments[] = {const_cast<char*>(program), const_cast<char*>("--serve"), nullptr};
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // If the parent died before prctl, no signal comes.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent && ::dup2(socket, STDIN_FILENO) >= 0 &&
      ::dup2(socket, STDOUT_FILENO) >= 0)
    ::execv(program, arguments);
  const int error = errno;
  (void)!::write(failed, &error, sizeof error);
  ::_exit(127);
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) {
    const char* const name = ::sigabbrev_np(WTERMSIG(status));
    return std::string("was ended by signal SIG") +
           (name != nullptr ? name : std::to_string(WTERMSIG(status)));
  }
  return "ended with exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<Child> Child::start(const std::filesystem::path& program) {
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    return fail(ErrorCode::resource, program.string(), "cannot be given a socket" + text_of_errno(errno));
  int failure[2];
  if (::pipe2(failure, O_CLOEXEC) != 0) {
    const int error = errno;
    ::close(sockets[0]);
    ::close(sockets[1]);
    return fail(ErrorCode::resource, program.string(), "cannot be given a pipe" + text_of_errno(error));
  }
  const std::string path = program.string();
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process == 0) become(path.c_str(), sockets[1], failure[1], parent);
  const int fork_error = errno;
  ::close(sockets[1]);
  ::close(failure[1]);
  int error = 0;
  ssize_t told = 0;
  if (process > 0)
    while ((told = ::read(failure[0], &error, sizeof error)) < 0 && errno == EINTR) {
    }
  ::close(failure[0]);
  if (process < 0) {
    ::close(sockets[0]);
    return fail(ErrorCode::resource, path, "cannot be started" + text_of_errno(fork_error));
  }
  Child child(program, process, sockets[0]);
  if (told > 0)
    return fail(ErrorCode::storage, path, "cannot be run" + text_of_errno(error), "reinstall Hansa");
  return child;
}

Child::~Child() { end(); }

Child::Child(Child&& other) noexcept
    : program_(std::move(other.program_)),
      process_(std::exchange(other.process_, -1)),
      socket_(std::exchange(other.socket_, -1)),
      received_(std::move(other.received_)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(program_, other.program_);
  std::swap(process_, other.process_);
  std::swap(socket_, other.socket_);
  std::swap(received_, other.received_);
  return *this;
}

void Child::end() noexcept {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

tl::unexpected<Error> Child::fail_ended() {
  if (process_ <= 0) return fail(ErrorCode::internal, program_.string(), "has ended");
  // It closed its end, so it is about to exit, if it did not do so already.
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  const std::string hint = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                               ? "the machine may be short of memory: evaluate on fewer examples"
                               : "";
  return fail(ErrorCode::internal, program_.string(), describe_end(status), hint);
}

Result<void> Child::send(std::string_view lines) {
  while (!lines.empty()) {
    const ssize_t n = ::send(socket_, lines.data(), lines.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_ended();
    lines.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<std::optional<std::string>> Child::receive() {
  while (true) {
    const std::size_t end = received_.find('\n');
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    if (received_.size() > line_bytes_max)
      return fail(ErrorCode::internal, program_.string(), "sent a line without end");
    std::array<char, 16'384> bytes;
    const ssize_t n = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n > 0) received_.append(bytes.data(), static_cast<std::size_t>(n));
    else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    else if (n == 0 || errno != EINTR) return fail_ended();
  }
}

Result<std::string> Child::wait_for_line() {
  while (true) {
    HANSA_TRY(auto line, receive());
    if (line) return std::move(*line);
    pollfd waiting{socket_, POLLIN, 0};
    (void)::poll(&waiting, 1, -1);
  }
}

}  // namespace hansa::server::internal
