// The main function of a program that another one starts as its child (child.h): it answers the parent's requests, one
// at a time, until the parent closes the socket.
#pragma once
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "common/process/frames.h"

namespace hansa {

// What a person reads who runs the program.
struct ChildProgramText {
  const char* about;
  std::string version;  // of version_text()
};

// Service(int descriptor of the socket) has `std::string answer(Frame)`. `text` is printed unless the parent has started the
// program. Returns the exit status.
template <class Service>
int run_child_program(int count, char** arguments, const ChildProgramText& text) {
  const std::string_view option = count == 2 ? arguments[1] : "";
  if (option == "--version") {
    std::puts(text.version.c_str());
    return 0;
  }
  if (option != "--serve") {
    std::puts(text.about);
    return option == "--help" ? 0 : 2;
  }
  // The parent ends this process by closing the socket: a terminal's Ctrl-C and a service manager's stop reach both,
  // and the parent may still need an answer. A write after the parent has gone is an error like any other.
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) std::signal(signal, SIG_IGN);
  FrameSocket parent(Descriptor(STDIN_FILENO), FrameSide::child);
  Service service(parent.descriptor());
  while (auto frame = parent.wait())
    if (!parent.send(service.answer(std::move(*frame)))) break;
  // Without the destructors of LibTorch: nothing is left to be written, and the memory goes with the process.
  ::_exit(0);
}

}  // namespace hansa
