// hansa-trainer trains models for hansa-client, which starts it as a child process.
#include <csignal>
#include <cstdio>
#include <string_view>

#include <unistd.h>

#include "client/trainer/internal/service.h"
#include "common/process/frames.h"

int main(int count, char** arguments) {
  if (count != 2 || std::string_view(arguments[1]) != "--serve") {
    std::puts(
        "hansa-trainer is a part of hansa-client, which starts it to train models.\n"
        "Do not run it yourself. The table [resources] of client.toml limits what it may use.");
    return count == 2 && std::string_view(arguments[1]) == "--help" ? 0 : 2;
  }
  // The client ends this process. A terminal's Ctrl-C and a service manager's stop reach both; a write after the client
  // has gone is an error like any other.
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) std::signal(signal, SIG_IGN);
  hansa::FrameSocket parent(hansa::Descriptor(STDIN_FILENO), hansa::FrameSide::child);
  hansa::client::internal::Service service(parent.descriptor());
  while (auto frame = parent.wait())
    if (!parent.send(service.answer(std::move(*frame)))) break;
  // Without the destructors of LibTorch: nothing is left to be written, and the memory goes with the process.
  ::_exit(0);
}
