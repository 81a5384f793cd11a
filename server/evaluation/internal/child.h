// A child process that is connected by a socket, which is its standard input and output.
//
// It inherits only this socket and standard error. It is killed when the thread that started it ends. Not thread-safe.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa::server::internal {

class Child {
 public:
  // Fails with `resource` if no process can be started, with `storage` if the program cannot be run.
  [[nodiscard]] static Result<Child> start(const std::filesystem::path& program);
  ~Child();  // kills the process and waits for its end
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;

  // Becomes readable when a line, or the end of the child, can be received.
  [[nodiscard]] int descriptor() const { return socket_.get(); }
  // Blocks only while the socket's buffer is full; the child reads each line before it answers.
  [[nodiscard]] Result<void> send(std::string_view lines);
  // The next complete line, without its end; empty if there is none yet. Does not block. When the child has ended,
  // fails with `internal` and the way in which it ended.
  [[nodiscard]] Result<std::optional<std::string>> receive();
  // The same, but blocks until there is a line.
  [[nodiscard]] Result<std::string> wait_for_line();

 private:
  Child(std::filesystem::path program, pid_t process, Descriptor socket)
      : program_(std::move(program)), process_(process), socket_(std::move(socket)) {}
  [[nodiscard]] tl::unexpected<Error> fail_ended();
  void end() noexcept;

  std::filesystem::path program_;
  pid_t process_ = -1;
  Descriptor socket_;
  std::string received_;
};

}  // namespace hansa::server::internal
