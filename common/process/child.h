// A program of this project as a child process, connected by a socket on which frames travel (frames.h).
//
// The child's standard input is the socket, its standard output is standard error; it inherits nothing else. Of the
// environment it gets what libraries and sanitizers read, and no other variable. It is killed when the thread that
// started it ends. One thread at a time.
#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "common/error.h"
#include "common/process/frames.h"

namespace hansa {

// How a process ended.
struct ProcessEnd {
  int signal = 0;  // 0: it exited
  int status = 0;
  [[nodiscard]] std::string text() const;  // "was ended by signal SIGKILL", "ended with exit status 1"
};

class Child {
 public:
  // Runs `program --serve`. Fails with `resource` if no process can be started, with `storage` if the program cannot be
  // run.
  [[nodiscard]] static Result<Child> start(const std::filesystem::path& program);
  ~Child();  // kills the process and waits for its end
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;

  // Becomes readable when a frame, or the end of the child, can be received.
  [[nodiscard]] int descriptor() const { return socket_.descriptor(); }
  [[nodiscard]] pid_t process() const { return process_; }
  // The following fail with `internal` and the way in which the child ended, once it has; end() tells it again.
  // Blocks only while the socket's buffer is full; the child reads each frame before it answers.
  [[nodiscard]] Result<void> send(std::string_view text, std::span<const int> descriptors = {});
  // The text of the next frame; empty if there is none yet. Does not block. A child that breaks the format is killed.
  [[nodiscard]] Result<std::optional<std::string>> receive();
  // The same, but blocks until there is a frame.
  [[nodiscard]] Result<std::string> wait();
  [[nodiscard]] const std::optional<ProcessEnd>& end() const { return end_; }
  // Kills the process and waits for its end.
  void kill() noexcept;

 private:
  Child(std::filesystem::path program, pid_t process, FrameSocket socket)
      : program_(std::move(program)), process_(process), socket_(std::move(socket)) {}
  [[nodiscard]] tl::unexpected<Error> fail_ended(const Error& reason);

  std::filesystem::path program_;
  pid_t process_ = -1;
  FrameSocket socket_;
  std::optional<ProcessEnd> end_;
};

}  // namespace hansa
