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

// Runs in the child after fork(). The parent has threads, so that only system calls are allowed before execv. Writes
// errno to the pipe `failed` if execv fails.
[[noreturn]] void become(const char* program, int socket, int failed, pid_t parent) {
  char* const arguments[] = {const_cast<char*>(program), const_cast<char*>("--serve"), nullptr};
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // If the parent died before prctl, the signal is never sent; getppid() detects that.
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
  const std::string path = program.string();
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return fail(ErrorCode::resource, path, "cannot be given a socket" + text_of_errno(errno));
  Descriptor socket(pair[0]), child_socket(pair[1]);
  if (::pipe2(pair, O_CLOEXEC) != 0)
    return fail(ErrorCode::resource, path, "cannot be given a pipe" + text_of_errno(errno));
  Descriptor failure(pair[0]), child_failure(pair[1]);
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process == 0) become(path.c_str(), child_socket.get(), child_failure.get(), parent);
  if (process < 0) return fail(ErrorCode::resource, path, "cannot be started" + text_of_errno(errno));
  Child child(program, process, std::move(socket));
  // The pipe must have no other writer, so that reading ends when the child has run execv.
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

Child::~Child() { end(); }

Child::Child(Child&& other) noexcept
    : program_(std::move(other.program_)),
      process_(std::exchange(other.process_, -1)),
      socket_(std::move(other.socket_)),
      received_(std::move(other.received_)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(program_, other.program_);
  std::swap(process_, other.process_);
  std::swap(socket_, other.socket_);
  std::swap(received_, other.received_);
  return *this;
}

void Child::end() noexcept {
  socket_ = Descriptor();
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

tl::unexpected<Error> Child::fail_ended() {
  if (process_ <= 0) return fail(ErrorCode::internal, program_.string(), "has ended");
  // The child has closed its end of the socket: it has exited or is about to.
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
    const ssize_t n = ::send(socket_.get(), lines.data(), lines.size(), MSG_NOSIGNAL);
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
      return fail(ErrorCode::internal, program_.string(), "sent a line that is too long");
    std::array<char, 16'384> bytes;
    const ssize_t n = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n > 0) received_.append(bytes.data(), static_cast<std::size_t>(n));
    else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    else if (n == 0 || errno != EINTR) return fail_ended();
  }
}

Result<std::string> Child::wait_for_line() {
  while (true) {
    HANSA_TRY(auto line, receive());
    if (line) return std::move(*line);
    pollfd waiting{socket_.get(), POLLIN, 0};
    (void)::poll(&waiting, 1, -1);
  }
}

}  // namespace hansa::server::internal
