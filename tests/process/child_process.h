// A program of this project as a child process of the test, with its output in a file.
#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace hansa::testing {

class ChildProcess {
 public:
  // `program` is a name in the folder of this test's binary. The child lives in the network namespace of process
  // `network_of`; 0: in this process's namespace. `variables`: entries NAME=VALUE, added to this process's environment.
  ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
               const std::filesystem::path& output, pid_t network_of = 0,
               const std::vector<std::string>& variables = {});
  ~ChildProcess();  // kills the process if it is still running
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  void signal(int number) const;
  [[nodiscard]] pid_t process() const { return pid_; }
  // The exit code, or -N for signal N; empty if the process is still running after this time.
  std::optional<int> wait(std::chrono::seconds at_most);
  [[nodiscard]] std::string output() const;
  // Waits until the output contains `text`; false after this time, or if the program ends before.
  bool wait_for_output(const std::string& text, std::chrono::seconds at_most);

 private:
  bool running();
  pid_t pid_ = -1;
  std::optional<int> exit_;
  std::filesystem::path output_;
};

}  // namespace hansa::testing
