// A child program at the other end of a socket, which is its standard input and output.
//
// It inherits nothing else but standard error, and dies with the thread that started it.
// One thread owns a child.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "common/error.h"

namespace hansa::server::internal {

class Child {
 public:
  // Fails (resource, storage) if no process can be made or the program cannot be run.
  [[nodiscard]] static Result<Child> start(const std::filesystem::path& program);
  ~Child();  // kills and reaps
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;

  [[nodiscard]] int descriptor() const { return socket_; }  // readable: a line or the end waits
  // The lines fit into the socket's buffer: the child reads before it answers.
  [[nodiscard]] Result<void> send(std::string_view lines);
  // The next whole line, without its end; empty if there is none yet. Fails (internal), telling how
  // the child ended, when no more can come.
  [[nodiscard]] Result<std::optional<std::string>> receive();
  // The same, waiting for it.
  [[nodiscard]] Result<std::string> wait_for_line();

 private:
  Child(std::filesystem::path program, pid_t process, int socket)
      : program_(std::move(program)), process_(process), socket_(socket) {}
  [[nodiscard]] tl::unexpected<Error> fail_ended();
  void end() noexcept;

  std::filesystem::path program_;
  pid_t process_ = -1;
  int socket_ = -1;
  std::string received_;
};

}  // namespace hansa::server::internal
