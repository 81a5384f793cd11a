// hansa-evaluator evaluates models for hansa-aggregator, which starts it as a child process.
#include <csignal>
#include <cstdio>
#include <string_view>

#include <unistd.h>

#include "common/process/frames.h"
#include "server/evaluation/internal/service.h"

int main(int count, char** arguments) {
  if (count != 2 || std::string_view(arguments[1]) != "--serve") {
    std::puts(
        "hansa-evaluator is a part of hansa-aggregator, which starts it to read and to evaluate models.\n"
        "Do not run it yourself. The table [evaluation] of federation.toml names the held-out data.");
    return count == 2 && std::string_view(arguments[1]) == "--help" ? 0 : 2;
  }
  // Ctrl-C sends SIGINT to every process of the terminal. It is ignored here: the aggregator ends this process by
  // closing the socket.
  for (const int signal : {SIGINT, SIGPIPE}) std::signal(signal, SIG_IGN);
  hansa::FrameSocket parent(hansa::Descriptor(STDIN_FILENO), hansa::FrameSide::child);
  hansa::server::internal::Service service(parent.descriptor());
  while (auto frame = parent.wait())
    if (!parent.send(service.answer(std::move(*frame)))) break;
  // Without the destructors of LibTorch: nothing is left to be written, and the memory goes with the process.
  ::_exit(0);
}
