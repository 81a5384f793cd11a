// A command line as data: what --help, the manual page and the completion of shells have in common.
#pragma once
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hansa::command_line {

struct Option {
  std::vector<std::string> names;  // "-o", "--out"; empty: only an argument
  std::string argument;  // its name as an argument: "FILE"; empty: only an option
  std::string value;  // what stands for the value: "TEXT", "UINT"; empty: a flag
  std::vector<std::string> choices;  // the only values that it takes; empty: any
  std::string default_value;  // empty: none, or not shown
  std::string meaning;
  bool required = false;
};

struct Command {
  std::string name;  // "remove"
  std::string path;  // "hansa runs remove"
  std::string meaning;
  std::string footer;  // examples and notes
  std::vector<Option> options;
  std::vector<Command> commands;  // without hidden ones
};

[[nodiscard]] Command describe(const CLI::App& app);
// The arguments of a command, in their order.
[[nodiscard]] std::vector<Option> arguments_of(const Command& command);

}  // namespace hansa::command_line
