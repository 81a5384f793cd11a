// hansa-evaluator evaluates models for hansa-aggregator, which starts it as a child process.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

#include <unistd.h>

#include "server/evaluation/internal/service.h"
#include "server/evaluation/internal/wire.h"

namespace {

// Returns false if the aggregator has ended.
bool write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(to, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 || std::string_view(arguments[1]) != "--serve") {
    std::puts(
        "hansa-evaluator is a part of hansa-aggregator, which starts it to read and to evaluate models.\n"
        "Do not run it yourself. The table [evaluation] of federation.toml names the held-out data.");
    return count == 2 && std::string_view(arguments[1]) == "--help" ? 0 : 2;
  }
  // Ctrl-C sends SIGINT to every process of the terminal. It is ignored here: the aggregator ends this process by
  // closing the socket.
  std::signal(SIGINT, SIG_IGN);
  // Output of a model's print() must not mix with the answers, so that it goes to standard error.
  const int answers = ::dup(STDOUT_FILENO);
  if (answers < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    std::perror("hansa-evaluator");
    return 1;
  }
  hansa::server::internal::Service service;
  std::string received;
  char bytes[16'384];
  while (received.size() <= hansa::server::internal::line_bytes_max) {
    const ssize_t n = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    received.append(bytes, static_cast<std::size_t>(n));
    for (std::size_t end = received.find('\n'); end != std::string::npos; end = received.find('\n')) {
      const std::string line = received.substr(0, end);
      received.erase(0, end + 1);
      if (!write_all(answers, service.answer(line))) return 0;
    }
  }
  return 1;
}
