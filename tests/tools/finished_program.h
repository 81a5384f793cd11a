// A program that is run to its end, with its exit code and its output.
#pragma once
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

namespace hansa::tools {

struct Finished {
  int code = -1;
  std::string output;  // stdout and stderr together
};

inline Finished run_program(const std::filesystem::path& program, const std::string& arguments) {
  const std::string command = "'" + program.string() + "' " + arguments + " 2>&1 </dev/null";
  Finished out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

}  // namespace hansa::tools
