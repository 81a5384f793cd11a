// A real program of this project as a child of the test, with its output in a file.
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
  // program: a name beside this test's binary. network_of: a process whose network namespace it lives in; 0: this one's.
  ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
               const std::filesystem::path& output, pid_t network_of = 0);
  ~ChildProcess();  // kills what still runs
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  void signal(int number) const;
  // The exit code, -N for signal N; empty if it still runs after the time.
  std::optional<int> wait(std::chrono::seconds at_most);
  [[nodiscard]] std::string output() const;
  // Waits until text stands in the output; false if it does not come or the program ends before.
  bool wait_for_output(const std::string& text, std::chrono::seconds at_most);

 private:
  bool running();
  pid_t pid_ = -1;
  std::optional<int> exit_;
  std::filesystem::path output_;
};

}  // namespace hansa::testing
