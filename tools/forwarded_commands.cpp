#include "tools/forwarded_commands.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "common/program_files.h"

namespace hansa::tools {
namespace {

constexpr CommandTitle titles[] = {new_title,      model_title,    data_title,
                                   contract_title, simulate_title, evaluate_title};

template <const CommandTitle& title>
void add_title(CLI::App& hansa, Outcome& /*outcome*/) {
  hansa.add_subcommand(title.name, title.description);
}

}  // namespace

LearningCommands forwarded_commands() {
  return {add_title<new_title>,      add_title<model_title>,    add_title<data_title>,
          add_title<contract_title>, add_title<simulate_title>, add_title<evaluate_title>};
}

bool is_forwarded(std::span<char* const> argv) {
  if (argv.size() < 2) return false;
  const std::string_view first = argv[1];
  return first == "--generate" || std::ranges::find(titles, first, &CommandTitle::name) != std::end(titles);
}

Result<int> forward(std::span<char* const> argv) {
  const std::filesystem::path program = find_program_file("hansa-learning");
  ::execv(program.c_str(), argv.data());
  return fail(ErrorCode::internal, program.string(),
              std::string("cannot be started (") + std::strerror(errno) + ")",
              "it belongs to hansa: install the package hansa-tools again");
}

}  // namespace hansa::tools
